import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { assetView } from '../testing/fake-engine.ts';
import { compileFilter } from './filter.ts';

const view = assetView('PW-0001', {
  siteId: 'S-42',
  status: 'Charging',
  values: { powerW: -1500, soc: 0.71, mode: 'backup', stormMode: true, tempC: null },
  regions: { operation: 'Charging', health: 'Ok' },
});

describe('what a filter matches', () => {
  test.each([
    ['eq(kind,powerwall)', true],
    ['eq(kind,"powerwall")', true],
    ['ne(kind,inverter)', true],
    ['in(kind,inverter,powerwall)', true],
    ['in(kind,(inverter,megapack))', false],
    ['gt(values.soc,0.7)', true],
    ['ge(values.soc,0.71)', true],
    ['lt(values.powerW,-1500)', false],
    ['le(values.powerW,-1500)', true],
    ['eq(values.stormMode,true)', true],
    ['eq(values.tempC,null)', true],
    ['gt(values.tempC,0)', false],
    ['eq(values.__proto__,null)', true],
    ['eq(state.operation,Charging)', true],
    ['eq(state.nothing,null)', true],
    ['eq(siteId,S-42)', true],
    ['like(serial,PW-*)', true],
    ['like(serial,*00*1)', true],
    ['like(serial,PW-0001*1)', false],
    ['and(eq(kind,powerwall), not(eq(status,Offline)))', true],
    ['or(eq(kind,inverter),eq(values.mode,backup))', true],
    ['and(eq(kind,powerwall),gt(values.soc,0.9))', false],
  ])('%s: %s', (text, expected) => {
    expect(compileFilter(text).matches(view)).toBe(expected);
  });

  test('a bare word that looks like a number equals the text', () => {
    expect(compileFilter('eq(serial,102502)').matches(assetView('102502'))).toBe(true);
  });

  test('the kinds that can match are known before any asset is looked at', () => {
    expect(compileFilter('and(eq(kind,powerwall),gt(values.soc,1))').kinds).toEqual(new Set(['powerwall']));
    expect(compileFilter('or(eq(kind,a),in(kind,b,c))').kinds).toEqual(new Set(['a', 'b', 'c']));
    expect(compileFilter('not(eq(kind,a))').kinds).toBeNull();
  });
});

describe('what is refused', () => {
  test.each([
    ['', 'at 0: expected an operator'],
    ['eq', 'at 2: expected "("'],
    ['eq(kind)', 'at 7: expected ","'],
    ['eq(kind,powerwall', 'at 17: expected ")"'],
    ['eq(kind,"powerwall)', 'at 8: the string does not end'],
    ['between(soc,1,2)', 'at 0: unknown operator "between"'],
    ['and(eq(kind,a),eq(soc,1))', 'at 18: "soc" is not a field'],
    ['eq(kind,a) or', 'at 11: the filter should end here'],
    [`${'not('.repeat(20)}eq(kind,a)${')'.repeat(20)}`, 'at 64: at most 16 levels'],
  ])('%s', (text, message) => {
    expect(() => compileFilter(text)).toThrow(message);
  });

  test('any text gives a filter or a filter error, nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'eqandor(),"\\ .values0') })), (text) => {
        try {
          compileFilter(text).matches(view);
        } catch (error) {
          expect(error).toBeInstanceOf(GridfoldError);
          expect((error as GridfoldError).code).toMatch(/^filter_/);
        }
      }),
    );
  });
});
