'use strict';
// The connector against answers as the API gives them. What the API really gives is in live.test.js.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const { load, plain, requireTable } = require('../fake/apps_script.js');

const URL = 'https://candles.example.org';
const COLUMNS = {
  time: 'time', open: 'open', high: 'high', low: 'low', close: 'close', volume: 'volume', filled: 'is_filled',
};
const KEY = { 'candlewick.key': 'open sesame' };

function page(times, next = null) {
  const column = (value) => times.map(() => value);
  return {
    symbol: 'BTC/USD', interval: '1day', merged: 1, in_range: null, time: times, next,
    open: column('1.10'), high: column('2'), low: column('1'), close: column('1.5000'),
    volume: column(null), filled: times.length > 1 ? [1] : [],
  };
}

/** What the API sends of a page to an address: the columns that it asks for. */
function sent(page, address) {
  if (!page || !page.time) return page;
  const asked = new global.URL(address).searchParams.get('fields').split(',');
  const kept = Object.entries(page).filter(([name]) => !COLUMNS[name] || asked.includes(COLUMNS[name]));
  return Object.fromEntries(kept);
}

/** The connector with the key, and answers in turn. */
function answering(...answers) {
  const fetch = (address) => {
    const next = answers.shift();
    if (typeof next === 'number') return { status: next, body: 'secret stack trace' };
    return { status: 200, body: JSON.stringify(sent(next, address)) };
  };
  return load({ url: URL, fetch, user: { ...KEY } });
}

function data(world, fields, more = {}) {
  const answer = plain(world.script.getData({
    configParams: { series: '1day/BTC/USD' },
    dateRange: { startDate: '2024-12-01', endDate: '2024-12-31' },
    fields: fields.map((name) => ({ name })),
    ...more,
  }));
  requireTable(answer);
  return answer;
}

test('the key goes in a header, to the address of the script and in no address', () => {
  const world = answering(page(['2024-12-30']));
  data(world, ['time']);
  const [{ address, options }] = world.requests;
  assert.equal(address, URL + '/api/v1/series/BTC%2FUSD/1day/candles?fields=time&from=2024-12-01&to=2024-12-31&limit=50000');
  assert.equal(options.headers.Authorization, 'Bearer open sesame');
  assert.ok(options.muteHttpExceptions && !options.followRedirects);
});

test('only the fields that were asked for come, in the order in which they were asked for', () => {
  const answer = data(answering(page(['2024-12-29', '2024-12-30'])), ['close', 'time', 'is_filled']);
  assert.deepEqual(answer.schema.map((field) => field.name), ['close', 'time', 'is_filled']);
  assert.deepEqual(answer.rows, [
    { values: ['1.5000', '20241229', 'false'] },
    { values: ['1.5000', '20241230', 'true'] },
  ]);
});

test('the fields of the chart go into the request, and no others', () => {
  const asked = (fields) => {
    const world = answering(page(['2024-12-29', '2024-12-30']));
    assert.equal(data(world, fields).rows.length, 2);
    return new global.URL(world.requests[0].address).searchParams.get('fields');
  };
  assert.equal(asked(['time', 'low', 'open', 'close', 'high']), 'time,open,high,low,close');
  assert.equal(asked(['volume', 'symbol']), 'volume');
  assert.equal(asked(['symbol', 'interval']), 'time');
  assert.equal(asked(['is_filled']), 'time,is_filled');
});

test('a field that is there for a filter alone comes too, because the filter is left to Data Studio', () => {
  const fields = [{ name: 'time' }, { name: 'symbol', forFilterOnly: true }];
  const answer = data(answering(page(['2024-12-30'])), [], { fields });
  assert.deepEqual([answer.filtersApplied, answer.rows[0].values], [false, ['20241230', 'BTC/USD']]);
});

test('an instant has all its digits, and an absent volume is an empty text', () => {
  const answer = data(answering(page(['2024-01-02T04:05:06Z'])), ['time', 'volume'], { configParams: { series: '1min/BTC/USD' } });
  assert.deepEqual(answer.rows[0].values, ['20240102040506', '']);
  assert.equal(answer.schema[0].semantics.semanticType, 'YEAR_MONTH_DAY_SECOND');
});

test('page after page is asked for until there is none', () => {
  const world = answering(page(['2024-12-29'], '2024-12-29'), page(['2024-12-30']));
  assert.equal(data(world, ['time']).rows.length, 2);
  assert.ok(world.requests[1].address.includes('after=2024-12-29&'));
});

test('prices are not summed, and the schema is the wire format of Data Studio', () => {
  const { schema } = plain(answering().script.getSchema({ configParams: { series: '1day/AAPL' } }));
  const how = Object.fromEntries(schema.map((field) => [field.name, field.defaultAggregationType]));
  assert.deepEqual([how.open, how.high, how.low, how.close, how.volume], ['AVG', 'MAX', 'MIN', 'AVG', 'SUM']);
  assert.deepEqual(schema[0], {
    name: 'time', label: 'Time', dataType: 'STRING',
    semantics: { conceptType: 'DIMENSION', semanticType: 'YEAR_MONTH_DAY' },
  });
});

test('the settings offer every series with candles, on every page of the list', () => {
  const rows = (...symbols) => symbols.map((symbol) => ({ symbol, interval: '1day', candles: symbol === 'NEW' ? 0 : 5 }));
  const world = answering({ rows: rows('AAPL', 'NEW'), next: 2 }, { rows: rows('BTC/USD'), next: null });
  const { configParams, dateRangeRequired } = plain(world.script.getConfig());
  assert.deepEqual(configParams[0].options.map((option) => option.value), ['1day/AAPL', '1day/BTC/USD']);
  assert.ok(dateRangeRequired && configParams[0].AllowOverride);
});

test('a key is kept if it opens the API, and forgotten on demand', () => {
  const world = load({ url: URL, fetch: (_, { headers }) => ({ status: headers.Authorization === 'Bearer good' ? 200 : 401, body: '' }) });
  assert.equal(world.script.isAuthValid(), false);
  assert.equal(world.script.setCredentials({ key: 'bad' }).errorCode, 'INVALID_CREDENTIALS');
  assert.deepEqual(world.user, {});
  assert.equal(world.script.setCredentials({ key: 'good' }).errorCode, 'NONE');
  assert.equal(world.script.isAuthValid(), true);
  world.script.resetAuth();
  assert.equal(world.script.isAuthValid(), false);
  assert.deepEqual(plain(world.script.getAuthType()), { type: 'KEY' });
});

test('an error is shown with what to do next', () => {
  for (const [status, words] of [[401, /enter the key again/], [404, /choose another/], [429, /wait a minute/], [503, /\(503\)/]]) {
    assert.throws(() => data(answering(status), ['time']), (error) => words.test(error.message) && !/stack/.test(error.message));
  }
  assert.throws(() => data(answering(), ['time'], { configParams: {} }), /Choose a series/);
  assert.throws(() => load({ user: KEY }).script.getConfig(), /CANDLEWICK_URL/);
  assert.throws(() => data(answering(page(['2024-12-30'])), ['nonsense']), /no field nonsense/);
});

test('the manifest has what Data Studio wants, within its limits', () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'appsscript.json'), 'utf8'));
  const { dataStudio } = manifest;
  assert.ok(dataStudio.name.length <= 28 && dataStudio.shortDescription.length <= 114);
  assert.deepEqual([manifest.runtimeVersion, dataStudio.authType], ['V8', ['KEY']]);
  assert.ok(manifest.urlFetchWhitelist.every((prefix) => prefix.startsWith('https://') && prefix.endsWith('/')));
});
