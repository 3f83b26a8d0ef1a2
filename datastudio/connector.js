/**
 * The Community Connector of Data Studio (formerly Looker Studio) for the API of Candlewick's dashboard.
 *
 * The address of the dashboard is a property of the script (CANDLEWICK_URL), and not of a data source: so the key goes to no
 * address that somebody types into a report. The key is the dashboard's DASHBOARD_TOKEN, kept for each user.
 */

/** The name that the user's key is kept under. */
const KEY_PROPERTY = 'candlewick.key';

/** How many candles one answer of the API has at most. */
const PAGE = 50000;

/** The fields that the API has by candle. What else the schema has is the same for all candles of a series. */
const CANDLE_FIELDS = ['time', 'open', 'high', 'low', 'close', 'volume', 'is_filled'];

/** How many rows Data Studio takes of one request. */
const MOST_ROWS = 1000000;

/** What a person is asked for first: a key. */
function getAuthType() {
  const cc = DataStudioApp.createCommunityConnector();
  return cc.newAuthTypeResponse().setAuthType(cc.AuthType.KEY).build();
}

/** Forgets the user's key. */
function resetAuth() {
  PropertiesService.getUserProperties().deleteProperty(KEY_PROPERTY);
}

/** Whether the user's key opens the API. */
function isAuthValid() {
  const key = PropertiesService.getUserProperties().getProperty(KEY_PROPERTY);
  return Boolean(key) && opens(key);
}

/** Keeps a key that opens the API, and no other. */
function setCredentials(request) {
  if (!request.key || !opens(request.key)) {
    return { errorCode: 'INVALID_CREDENTIALS' };
  }
  PropertiesService.getUserProperties().setProperty(KEY_PROPERTY, request.key);
  return { errorCode: 'NONE' };
}

/** Errors are shown in full to nobody: their text says what to do, and nothing in it is secret. */
function isAdminUser() {
  return false;
}

/** Asks which series a data source is of; a report may override it by a parameter. */
function getConfig() {
  const cc = DataStudioApp.createCommunityConnector();
  const config = cc.getConfig();
  const select = config.newSelectSingle().setId('series').setName('Series').setAllowOverride(true);
  select.setHelpText('The symbol and the length of its candles.');
  listSeries().forEach((series) => {
    const option = config.newOptionBuilder().setLabel(series.symbol + ' ' + series.interval);
    select.addOption(option.setValue(series.interval + '/' + series.symbol));
  });
  config.setDateRangeRequired(true);
  return config.build();
}

/** The fields of a series' candles. */
function getSchema(request) {
  return { schema: fieldsOf(seriesOf(request)).build() };
}

/** The candles of a series within the dates of the report, with the fields that the chart needs and no others. */
function getData(request) {
  const series = seriesOf(request);
  const names = request.fields.map((field) => field.name);
  const fields = fieldsOf(series).forIds(names);
  const found = candles(series, request.dateRange, columnsFor(names));
  const rows = found.map((candle) => ({ values: names.map((name) => cell(candle, name)) }));
  return { schema: fields.build(), rows: rows, filtersApplied: false };
}

/**
 * The columns of the API behind fields of the schema. `is_filled` comes as the places of the filled candles, and the rest of
 * the fields as none: the time then says how many candles there are.
 */
function columnsFor(names) {
  const columns = CANDLE_FIELDS.filter((name) => names.indexOf(name) >= 0);
  return columns.some((name) => name !== 'is_filled') ? columns : ['time'].concat(columns);
}

/** What a data source is of: `1day/BTC/USD` is the daily series of BTC/USD. */
function seriesOf(request) {
  const text = (request.configParams && request.configParams.series) || '';
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) {
    fail('Choose a series in the settings of the data source.', 'series is ' + JSON.stringify(text));
  }
  return { interval: text.slice(0, slash), symbol: text.slice(slash + 1) };
}

/** Whether a series' candles are stamped with a date, and not with an instant. */
function isDaily(series) {
  return ['1day', '1week', '1month'].indexOf(series.interval) >= 0;
}

/**
 * Prices must not be summed: where Data Studio draws several candles as one, the highest high and the lowest low are right,
 * and of opens and closes an average is the least wrong.
 */
function fieldsOf(series) {
  const cc = DataStudioApp.createCommunityConnector();
  const fields = cc.getFields();
  const types = cc.FieldType;
  const how = cc.AggregationType;
  const time = isDaily(series) ? types.YEAR_MONTH_DAY : types.YEAR_MONTH_DAY_SECOND;
  fields.newDimension().setId('time').setName('Time').setType(time);
  fields.newDimension().setId('symbol').setName('Symbol').setType(types.TEXT);
  fields.newDimension().setId('interval').setName('Interval').setType(types.TEXT);
  fields.newDimension().setId('is_filled').setName('Filled by cleaning').setType(types.BOOLEAN);
  fields.newMetric().setId('open').setName('Open').setType(types.NUMBER).setAggregation(how.AVG);
  fields.newMetric().setId('high').setName('High').setType(types.NUMBER).setAggregation(how.MAX);
  fields.newMetric().setId('low').setName('Low').setType(types.NUMBER).setAggregation(how.MIN);
  fields.newMetric().setId('close').setName('Close').setType(types.NUMBER).setAggregation(how.AVG);
  fields.newMetric().setId('volume').setName('Volume').setType(types.NUMBER).setAggregation(how.SUM);
  fields.setDefaultDimension('time');
  fields.setDefaultMetric('close');
  return fields;
}

/** Every value is text, also numbers: so no digit is lost, and Data Studio reads it either way. */
function cell(candle, name) {
  const value = candle[name];
  if (name === 'time') {
    return stamp(value);
  }
  return value === null || value === undefined ? '' : String(value);
}

/** `2024-12-30` becomes `20241230`, and `2024-12-30T14:30:00Z` becomes `20241230143000`. */
function stamp(time) {
  return time.replace(/[^0-9]/g, '');
}

/** Every candle of a series between two dates, with these columns, page by page. */
function candles(series, dateRange, columns) {
  const path = '/series/' + encodeURIComponent(series.symbol) + '/' + encodeURIComponent(series.interval) + '/candles';
  const range = { from: dateRange && dateRange.startDate, to: dateRange && dateRange.endDate, limit: PAGE };
  const all = [];
  let after = null;
  do {
    const page = ask(path, Object.assign({ after: after, fields: columns.join(',') }, range));
    candlesOf(page, columns).forEach((candle) => all.push(candle));
    after = page.next;
    if (all.length > MOST_ROWS) {
      fail('There are more than ' + MOST_ROWS + ' candles in this range: choose fewer days or a longer interval.', path);
    }
  } while (after);
  return all;
}

/** The API answers in columns, and of those only with what was asked for. */
function candlesOf(page, columns) {
  const filled = new Set(page.filled);
  const listed = columns.filter((name) => name !== 'is_filled');
  return page[listed[0]].map((_, at) => {
    const candle = { symbol: page.symbol, interval: page.interval, is_filled: filled.has(at) };
    listed.forEach((name) => {
      candle[name] = page[name][at];
    });
    return candle;
  });
}

/** Every series that has candles. */
function listSeries() {
  const all = [];
  let after = null;
  do {
    const page = ask('/series', { limit: 1000, after: after });
    page.rows.filter((series) => series.candles > 0).forEach((series) => all.push(series));
    after = page.next;
  } while (after);
  return all;
}

/** What the API answers to the user's key; any error becomes a message for the user. */
function ask(path, parameters) {
  const key = PropertiesService.getUserProperties().getProperty(KEY_PROPERTY);
  const response = request(path, parameters, key);
  const status = response.getResponseCode();
  if (status === 200) {
    return JSON.parse(response.getContentText());
  }
  const said = path + ' answered ' + status + ': ' + response.getContentText().slice(0, 500);
  fail(reason(status), said);
}

/** What a status means to the user. */
function reason(status) {
  if (status === 401 || status === 403) {
    return 'Candlewick does not take this key: remove access to the connector in Data Studio, and enter the key again.';
  }
  if (status === 404) {
    return 'Candlewick has no such series: choose another in the settings of the data source.';
  }
  if (status === 429) {
    return 'Candlewick was asked too often: wait a minute and refresh.';
  }
  return 'Candlewick did not answer (' + status + '): look at its dashboard, and refresh when it is well.';
}

/** Whether a key opens the API. */
function opens(key) {
  return request('/series', { limit: 1 }, key).getResponseCode() === 200;
}

/** A request with the key in a header, never in the address. */
function request(path, parameters, key) {
  const query = Object.keys(parameters)
    .filter((name) => parameters[name] !== null && parameters[name] !== undefined)
    .map((name) => name + '=' + encodeURIComponent(parameters[name]));
  const options = { headers: { Authorization: 'Bearer ' + key }, muteHttpExceptions: true, followRedirects: false };
  return UrlFetchApp.fetch(address() + '/api/v1' + path + '?' + query.join('&'), options);
}

/** Where the dashboard is. */
function address() {
  const url = PropertiesService.getScriptProperties().getProperty('CANDLEWICK_URL');
  if (!url) {
    fail('The connector has no address: set the script property CANDLEWICK_URL to that of your dashboard.', 'no address');
  }
  return url.replace(/\/+$/, '');
}

/** Ends the request with words for the user, and others for the developer of the connector. */
function fail(text, debug) {
  DataStudioApp.createCommunityConnector().newUserError().setText(text).setDebugText(debug).throwException();
}
