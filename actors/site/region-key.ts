const PREFIX = 'region/';

/** Key of the actor of an area; a site may have the same name. */
export function regionKey(region: string): string {
  return `${PREFIX}${region}`;
}

export function regionName(key: string): string {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
}
