'use strict';
// What Apps Script gives the connector, as far as the connector uses it; strict where Data Studio is.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const CONNECTOR = path.join(__dirname, '..', 'connector.js');
const FIELD_TYPES = ['YEAR_MONTH_DAY', 'YEAR_MONTH_DAY_SECOND', 'TEXT', 'NUMBER', 'BOOLEAN'];
const AGGREGATIONS = ['AVG', 'MAX', 'MIN', 'SUM'];

/** An object whose members are named by themselves. A name that is not there throws, as a wrong enum does. */
function names(list) {
  const target = Object.fromEntries(list.map((name) => [name, name]));
  return new Proxy(target, {
    get(all, name) {
      if (!(name in all)) throw new Error('Apps Script has no ' + String(name));
      return all[name];
    },
  });
}

/** An object with a setter for each name. Each setter returns the object. */
function builder(setters, values = {}) {
  const built = { values };
  setters.forEach((name) => {
    built['set' + name] = (value) => {
      values[name] = value;
      return built;
    };
  });
  return built;
}

function wireType(type) {
  return type === 'NUMBER' ? 'NUMBER' : type === 'BOOLEAN' ? 'BOOLEAN' : 'STRING';
}

function wire(field) {
  const { Id, Name, Type, Aggregation, concept } = field.values;
  if (!Id || !Name || !Type) throw new Error('a field lacks its id, name or type');
  const semantics = { conceptType: concept, semanticType: Type };
  return Aggregation
    ? { name: Id, label: Name, dataType: wireType(Type), semantics, defaultAggregationType: Aggregation }
    : { name: Id, label: Name, dataType: wireType(Type), semantics };
}

function fields(all = []) {
  const add = (concept, setters) => {
    const field = builder(setters, { concept });
    all.push(field);
    return field;
  };
  const require = (id) => {
    const found = all.find((field) => field.values.Id === id);
    if (!found) throw new Error('there is no field ' + id);
    return found;
  };
  return {
    newDimension: () => add('DIMENSION', ['Id', 'Name', 'Type']),
    newMetric: () => add('METRIC', ['Id', 'Name', 'Type', 'Aggregation']),
    setDefaultDimension: require,
    setDefaultMetric: require,
    forIds: (ids) => fields(ids.map(require)),
    build: () => all.map(wire),
  };
}

function config() {
  const built = { configParams: [], dateRangeRequired: false };
  return {
    newSelectSingle() {
      const select = builder(['Id', 'Name', 'HelpText', 'AllowOverride'], { options: [] });
      select.addOption = (option) => {
        select.values.options.push({ label: option.values.Label, value: option.values.Value });
        return select;
      };
      built.configParams.push(select.values);
      return select;
    },
    newOptionBuilder: () => builder(['Label', 'Value']),
    setDateRangeRequired(value) {
      built.dateRangeRequired = value;
    },
    build: () => built,
  };
}

function userError() {
  const error = builder(['Text', 'DebugText']);
  error.throwException = () => {
    throw Object.assign(new Error(error.values.Text), { debug: error.values.DebugText });
  };
  return error;
}

const connector = {
  AuthType: names(['KEY']),
  FieldType: names(FIELD_TYPES),
  AggregationType: names(AGGREGATIONS),
  newAuthTypeResponse() {
    const response = builder(['AuthType']);
    response.build = () => ({ type: response.values.AuthType });
    return response;
  },
  getConfig: config,
  getFields: () => fields(),
  newUserError: userError,
};

function properties(values) {
  return {
    getProperty: (name) => (name in values ? values[name] : null),
    setProperty: (name, value) => {
      values[name] = value;
    },
    deleteProperty: (name) => {
      delete values[name];
    },
  };
}

/** Asks for real, and waits: Apps Script knows no promises. */
function fetchForReal(url, options) {
  const script = `
    let input = '';
    process.stdin.on('data', (chunk) => (input += chunk)).on('end', async () => {
      const { url, headers } = JSON.parse(input);
      const response = await fetch(url, { headers, redirect: 'manual' });
      process.stdout.write(JSON.stringify({ status: response.status, body: await response.text() }));
    });`;
  const input = JSON.stringify({ url, headers: options.headers });
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { input, maxBuffer: 1 << 28 }));
}

/** The connector in a world of its own: its functions, the requests it made, and the user's properties. */
function load({ url, fetch = fetchForReal, user = {} }) {
  const requests = [];
  const world = {
    DataStudioApp: { createCommunityConnector: () => connector },
    PropertiesService: {
      getUserProperties: () => properties(user),
      getScriptProperties: () => properties(url ? { CANDLEWICK_URL: url } : {}),
    },
    UrlFetchApp: {
      fetch(address, options) {
        const { status, body } = fetch(address, options);
        requests.push({ address, options, body });
        return { getResponseCode: () => status, getContentText: () => body };
      },
    },
  };
  vm.createContext(world);
  vm.runInContext(fs.readFileSync(CONNECTOR, 'utf8'), world, { filename: CONNECTOR });
  return { script: world, requests, user };
}

/** What Data Studio demands of a table: each row as wide as the schema, and every value text. */
function requireTable(data) {
  const width = data.schema.length;
  data.rows.forEach(({ values }, at) => {
    if (values.length !== width) throw new Error(`row ${at} has ${values.length} values and the schema ${width} fields`);
    const other = values.find((value) => typeof value !== 'string');
    if (other !== undefined) throw new Error(`row ${at} has a value that is no text: ${JSON.stringify(other)}`);
  });
  if (typeof data.filtersApplied !== 'boolean') throw new Error('filtersApplied is missing');
}

/** A value of another world as one of this, which assertions compare with. */
function plain(value) {
  return JSON.parse(JSON.stringify(value));
}

module.exports = { load, plain, requireTable };
