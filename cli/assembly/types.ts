import { deviceTypeWith, kinds } from '../../actors/device/index.ts';
import { siteType } from '../../actors/site/index.ts';
import { openSchemas, type OpenSchemas } from '../../codec/registry/open.ts';
import type { Clock } from '../../runtime/kernel/clock.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import type { Config } from '../../runtime/system/config.ts';
import { registryAccess } from '../../runtime/system/registry-access.ts';

export interface Types {
  readonly devices: ActorType;
  /** All actor types, in the order of the data's way. */
  readonly all: readonly ActorType[];
  readonly schemas: OpenSchemas;
}

/** The actor types as the configuration wants them, and the schemas that their records may be written with. */
export async function openTypes(
  config: Config,
  clock: Clock,
  message: (level: 'info' | 'warn', text: string) => void,
): Promise<Types> {
  const schemas = await openSchemas({
    dataDir: config.dataDir,
    prefix: config['kafka.topicPrefix'],
    access: registryAccess(config),
    kinds,
    clock,
    onMessage: message,
  });
  const devices = withDefaults(deviceTypeWith({ table: schemas.schemas.table, input: schemas.schemas }), config);
  return { devices, all: [devices, siteType], schemas };
}

/** The actor type with the cadences and time zones of the configuration. */
function withDefaults(type: ActorType, config: Config): ActorType {
  const configured = type.kinds.map((kind) => {
    const cadenceS = (config.cadenceSeconds as Record<string, number>)[kind.name];
    const timeZone = (config.timeZone as Record<string, string>)[kind.name];
    return { ...kind, defaults: { cadenceMs: cadenceS * 1000, timeZone } };
  });
  return { ...type, kinds: configured };
}
