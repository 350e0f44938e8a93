import { type FbsFile, type FbsType, parseFlatbuffers } from './flatbuffers-file.ts';

export { parseFlatbuffers };

/**
 * What keeps a schema from following an older one. A field is known by its place alone, so tables grow at the end only,
 * whichever side reads; a default is not written, so it stays as it was.
 */
export function flatbuffersComplaints(newer: FbsFile, older: FbsFile): string[] {
  if (newer.root !== older.root) return [`the root type is ${newer.root}, but was ${older.root}`];
  const complaints: string[] = [];
  for (const [name, was] of older.types) {
    const is = newer.types.get(name);
    if (is === undefined) complaints.push(`${was.shape} ${name} is gone`);
    else if (is.shape !== was.shape || is.base !== was.base)
      complaints.push(`${name} is ${describe(is)}, but was ${describe(was)}`);
    else if (is.shape === 'enum') complaints.push(...wordComplaints(name, is, was));
    else complaints.push(...fieldComplaints(name, is, was));
  }
  return complaints;
}

const describe = ({ shape, base }: FbsType) => (base === '' ? `a ${shape}` : `a ${shape} of ${base}`);

function wordComplaints(name: string, is: FbsType, was: FbsType): string[] {
  const complaints: string[] = [];
  for (const [word, number] of was.words) {
    if (is.words.get(word) !== number) complaints.push(`${name}.${word} was ${number} and must stay so`);
  }
  return complaints;
}

function fieldComplaints(name: string, is: FbsType, was: FbsType): string[] {
  const complaints: string[] = [];
  was.fields.forEach((before, slot) => {
    const field = is.fields[slot];
    if (field === undefined) complaints.push(`${name}.${before.name} is gone: mark it (deprecated) instead`);
    else if (field.type !== before.type)
      complaints.push(
        `slot ${slot} of ${name} is ${field.name}: ${field.type}, but was ${before.name}: ${before.type}`,
      );
    else if (field.default !== before.default)
      complaints.push(
        `${name}.${field.name} has default ${field.default || 'none'}, but had ${before.default || 'none'}`,
      );
    else if (field.isRequired !== before.isRequired)
      complaints.push(`${name}.${field.name} must stay ${before.isRequired ? 'required' : 'optional'}`);
  });
  const added = is.fields.slice(was.fields.length);
  if (is.shape === 'struct' && added.length > 0) complaints.push(`struct ${name} has grown: structs cannot`);
  for (const field of added) {
    if (field.isRequired) complaints.push(`${name}.${field.name} is required, but was not there`);
  }
  return complaints;
}
