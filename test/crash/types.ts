import { deviceType } from '../../actors/device/index.ts';
import { siteType } from '../../actors/site/index.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';

/** Actor types that the fault tests run and verify. */
export const types: readonly ActorType[] = [deviceType, siteType];
