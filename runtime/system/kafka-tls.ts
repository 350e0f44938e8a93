import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { readOptionFile } from './option-file.ts';
import type { Config } from './options.ts';

/** What TLS to the brokers needs, out of the files that the options name; `problems` says which cannot be used. */
export function readTls(config: Config, problems: string[]): ConnectionOptions {
  const [ca, cert, key] = (['kafka.sslCa', 'kafka.sslCert', 'kafka.sslKey'] as const).map((name) =>
    readOptionFile(config, name, problems),
  );
  if (ca !== null) certificate(config, 'kafka.sslCa', ca, problems);
  if (cert !== null && key !== null) {
    const shown = certificate(config, 'kafka.sslCert', cert, problems);
    const secret = privateKey(config, key, problems);
    if (shown !== null && secret !== null && !shown.checkPrivateKey(secret)) {
      problems.push(
        `kafka.sslKey: ${config['kafka.sslKey']} is not the key of the certificate ${config['kafka.sslCert']}`,
      );
    }
  }
  return { ...(ca === null ? {} : { ca: [ca] }), ...(cert === null || key === null ? {} : { cert, key }) };
}

function certificate(
  config: Config,
  name: 'kafka.sslCa' | 'kafka.sslCert',
  pem: string,
  problems: string[],
): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    problems.push(`${name}: ${config[name]} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
    return null;
  }
}

function privateKey(config: Config, pem: string, problems: string[]): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    const why = /ENCRYPTED/.test(pem) ? 'is encrypted; only a key without a password can be used' : 'holds no key';
    problems.push(`kafka.sslKey: ${config['kafka.sslKey']} ${why} (PEM form, -----BEGIN PRIVATE KEY-----)`);
    return null;
  }
}
