import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaTool, requireJava } from '../../scripts/kafka/java.ts';
import type { SecuredListener } from '../../scripts/kafka/server-properties.ts';

/** A listener with SASL over TLS, and what a client needs to be let in. */
export interface Secured {
  readonly bootstrap: string;
  /** Certificate that vouches for the broker: its file and its PEM text. */
  readonly caFile: string;
  readonly ca: string;
  /** Known for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly user: string;
  readonly password: string;
  readonly listener: SecuredListener;
}

const user = 'gridfold';
const password = 'correct-horse';
const keystorePassword = 'battery-staple';

/** Makes a self-signed certificate for 127.0.0.1 and localhost in the folder. */
export function makeSecured(dir: string, port: number): Secured {
  requireJava();
  const keystore = join(dir, 'broker.p12');
  const caFile = join(dir, 'ca.pem');
  const store = ['-keystore', keystore, '-storetype', 'PKCS12', '-storepass', keystorePassword, '-alias', 'broker'];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '30', '-dname', 'CN=localhost'];
  keytool(['-genkeypair', ...store, ...key, '-ext', 'san=ip:127.0.0.1,dns:localhost']);
  keytool(['-exportcert', ...store, '-rfc', '-file', caFile]);
  return {
    bootstrap: `127.0.0.1:${port}`,
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    user,
    password,
    listener: { port, keystore, keystorePassword, user, password },
  };
}

function keytool(args: readonly string[]): void {
  const done = spawnSync(javaTool('keytool'), args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`keytool ${args[0]} failed: ${done.stdout}${done.stderr}`);
}
