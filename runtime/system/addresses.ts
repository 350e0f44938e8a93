/** The parts of a comma separated list. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Reason why a text is no list of `host:port`, or null. */
export function refuseBrokers(text: string): string | null {
  const wrong = listOf(text).find((broker) => !isHostAndPort(broker));
  if (wrong !== undefined) return `each must be host:port, such as kafka-1.example:9092; "${wrong}" is not`;
  return listOf(text).length === 0 ? 'must name a broker' : null;
}

/** Host of a `host:port`, without the brackets of an IPv6 address. */
export function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replaceAll(/[[\]]/g, '');
}

function isHostAndPort(broker: string): boolean {
  const port = Number(/^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(broker)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

/** Reason why a text is no http or https address, or null; names and passwords stand elsewhere. */
export function refuseHttpUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL';
  return url.username === '' && url.password === '' ? null : 'must not hold a name or password';
}

/** The same of a comma separated list. */
export function refuseHttpUrls(text: string): string | null {
  if (listOf(text).length === 0) return 'must be an http or https URL';
  return (
    listOf(text)
      .map(refuseHttpUrl)
      .find((reason) => reason !== null) ?? null
  );
}

/** Whether only processes of this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
