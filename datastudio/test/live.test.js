'use strict';
// The connector against a dashboard that runs: DASHBOARD_URL says where, DASHBOARD_TOKEN is its key if it wants one.

const assert = require('node:assert/strict');
const test = require('node:test');

const { load, plain, requireTable } = require('../fake/apps_script.js');

const url = process.env.DASHBOARD_URL;
const options = { skip: url ? false : 'DASHBOARD_URL is not set' };

function connected() {
  const world = load({ url });
  assert.equal(world.script.setCredentials({ key: process.env.DASHBOARD_TOKEN || 'none' }).errorCode, 'NONE');
  return world;
}

function data(world, series, startDate, endDate, names) {
  const fields = names.map((name) => ({ name }));
  const answer = plain(world.script.getData({ configParams: { series }, dateRange: { startDate, endDate }, fields }));
  requireTable(answer);
  return answer;
}

test('the settings offer the series of the store', options, () => {
  const [{ options: offered }] = plain(connected().script.getConfig()).configParams;
  assert.ok(offered.some((option) => option.value === '1day/AAPL'), JSON.stringify(offered));
});

test('a candlestick chart gets the days of its range and no others', options, () => {
  const names = ['time', 'low', 'open', 'close', 'high'];
  const { rows } = data(connected(), '1day/AAPL', '2024-12-23', '2024-12-27', names);
  assert.deepEqual(rows.map((row) => row.values[0]), ['20241223', '20241224', '20241226', '20241227']);
  for (const { values } of rows) {
    const [low, open, close, high] = values.slice(1).map(Number);
    assert.ok(low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close), values.join());
  }
});

test('the dashboard sends the fields of the chart and no others', options, () => {
  const world = connected();
  const asked = () => world.requests.at(-1).body.length;
  const days = (names) => data(world, '1day/AAPL', '2024-01-01', '2024-12-31', names).rows;
  const [all, allBytes] = [days(['time', 'open', 'high', 'low', 'close', 'volume', 'is_filled']), asked()];
  const [closes, bytes] = [days(['close', 'symbol']), asked()];
  assert.deepEqual(closes.map((row) => row.values), all.map((row) => [row.values[4], 'AAPL']));
  assert.ok(bytes * 4 < allBytes, `${bytes} bytes of ${allBytes}`);
});

test('all five years come whole', options, () => {
  const world = connected();
  const days = new Set(data(world, '1day/AAPL', '2015-01-01', '2024-12-31', ['time']).rows.map((row) => row.values[0]));
  assert.ok(days.size > 1200, `${days.size} days`);
});

test('a missing series is an error that names it', options, () => {
  assert.throws(() => data(connected(), '1day/NOBODY', '2024-12-23', '2024-12-27', ['time']), /no such series/);
});
