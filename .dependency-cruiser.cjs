/**
 * Import direction: nothing points upwards.
 *
 * The layers stand from the bottom to the top; a layer may import itself, and what stands in
 * its `may` list. Tests, `test/`, `bench/` and `scripts/` stand outside and may import everything.
 */
const layers = [
  { path: 'runtime/kernel', may: [] },
  { path: 'runtime/log', may: ['runtime/kernel'] },
  { path: 'runtime/machine', may: ['runtime/kernel'] },
  { path: 'snapshots', may: ['runtime/kernel'] },
  { path: 'runtime/shard', may: ['runtime/kernel', 'runtime/log', 'runtime/machine', 'snapshots'] },
  {
    path: 'runtime/system',
    may: ['runtime/kernel', 'runtime/log', 'runtime/machine', 'runtime/shard', 'snapshots', 'actors/sinks/contract'],
  },
  { path: 'codec', may: ['runtime/kernel', 'runtime/shard'] },
  {
    path: 'actors/device',
    may: ['runtime/kernel', 'runtime/machine', 'runtime/shard', 'snapshots', 'codec'],
  },
  {
    path: 'actors/site',
    may: ['runtime/kernel', 'runtime/machine', 'runtime/shard', 'snapshots', 'codec', 'actors/device'],
  },
  { path: 'actors/sinks', may: ['runtime/kernel', 'runtime/log', 'runtime/shard', 'runtime/system/engine', 'codec'] },
  { path: 'sim', may: ['runtime/kernel', 'codec'], except: 'sim/scenario' },
  { path: 'sim/scenario', may: ['runtime', 'snapshots', 'codec', 'actors', 'sim'] },
  { path: 'api', may: ['runtime', 'snapshots', 'codec', 'actors'] },
  { path: 'cli', may: ['runtime', 'snapshots', 'codec', 'actors', 'sim', 'api'] },
];

const standingOutside = [
  '\\.(test|conformance)\\.ts$',
  '(^|/)(conformance|testing)(\\.ts$|/)',
  '^(test|bench|scripts|deploy|web)/',
  '^cli/gridfold\\.mjs$',
  '^[^/]+$',
];
const everyLayer = layers.map((layer) => layer.path);

function onlyDownwards({ path, may, except }) {
  return {
    name: `layer-${path.replaceAll('/', '-')}`,
    comment: `${path} may import ${may.length === 0 ? 'no other layer' : `only ${may.join(', ')}`}.`,
    severity: 'error',
    from: { path: `^${path}/`, pathNot: except === undefined ? standingOutside : [...standingOutside, `^${except}/`] },
    to: {
      path: `^(${everyLayer.join('|')}|test|bench|scripts)/`,
      pathNot: [`^${path}/`, ...may.map((target) => `^${target}(/|\\.ts$)`)],
    },
  };
}

module.exports = {
  forbidden: [
    ...layers.map(onlyDownwards),
    {
      name: 'no-cycles',
      comment: 'A cycle has no bottom to read from.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'The file or package does not exist.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'kept-packages',
      comment: 'What production code imports stands in "dependencies".',
      severity: 'error',
      from: { path: `^(${everyLayer.join('|')})/`, pathNot: standingOutside },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-tests-in-production',
      comment: 'Code that runs imports no test.',
      severity: 'error',
      from: { path: `^(${everyLayer.join('|')})/`, pathNot: standingOutside },
      to: { path: '\\.test\\.ts$' },
    },
  ],
  options: {
    // The compiler's old API is gone with TypeScript 7; swc reads the syntax, type imports included.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|web)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json'],
    },
  },
};
