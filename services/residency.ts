// The table of regions as a process keeps to it. Read at the start; a table that cannot be read stops it.

import { readFile } from 'node:fs/promises';
import { BeaconError } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import { chooseRegion, parseResidency, type Residency, regionsOf } from '../core/residency.ts';
import type { SealRequest, SealResponse } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import type { TracingSettings } from '../runtime/tracing.ts';
import { leastBusy } from './replicas.ts';

/** Undefined where there are no regions. Throws `failed_precondition` naming the file's fault. */
export async function openResidency(file: string, ownRegion: string): Promise<Residency | undefined> {
  if (file === '') return undefined;
  const refuse = (why: string, cause?: unknown) =>
    new BeaconError('failed_precondition', `BEACON_RESIDENCY_FILE: ${why}`, { cause });
  let residency: Residency;
  try {
    residency = parseResidency(await readFile(file));
  } catch (error) {
    throw refuse(error instanceof BeaconError ? error.message : 'cannot be read', error);
  }
  if (ownRegion !== '' && !residency.regions.has(ownRegion)) throw refuse(`does not name ${ownRegion}`);
  return residency;
}

/** For the pool: where what is to be sealed may lie. The drafts of one request are about one tenant. */
export function sealRegion(residency: Residency | undefined) {
  if (!residency) return undefined;
  return ({ drafts }: SealRequest, { region }: CallContext): string | undefined => {
    const regions = drafts
      .filter(({ tenantId }) => tenantId !== '')
      .map(({ tenantId }) => chooseRegion(residency, tenantId, region));
    if (new Set(regions).size > 1) throw new BeaconError('internal', 'tenants of several regions in one request');
    return regions[0];
  };
}

type Signer = { seal(request: SealRequest, context: CallContext): Promise<SealResponse> };

/** For who has several signers and no pool: one in the tenant's region, any where there are no regions. */
export function sealingWhereItMay(
  signers: readonly { readonly region: string; readonly service: Signer }[],
  residency: Residency | undefined,
): Signer {
  const regionOf = sealRegion(residency);
  const all = leastBusy(
    signers.map(({ service }) => service),
    Date.now,
  );
  if (!regionOf) return all;
  const byRegion = new Map<string, Signer>();
  for (const name of new Set(signers.map(({ region }) => region))) {
    const there = signers.filter(({ region }) => region === name).map(({ service }) => service);
    byRegion.set(name, leastBusy(there, Date.now));
  }
  return {
    async seal(request, context) {
      const region = regionOf(request, context);
      const signer = region === undefined ? all : byRegion.get(region);
      if (!signer) throw new BeaconError('unavailable', 'no signer lies in the region of this tenant');
      return signer.seal(request, context);
    },
  };
}

/** For a signer: whose receipts may lie in its log. */
export function mayLieIn(residency: Residency | undefined, region: string) {
  return residency && ((tenantId: string) => regionsOf(residency, tenantId).includes(region));
}

/** For the bus: where an event about a tenant goes. */
export function firstRegion(residency: Residency | undefined) {
  return residency && ((tenantId: string) => regionsOf(residency, tenantId)[0]);
}

/** Spans that say their region go to that region's collector, or nowhere. */
export function withRegions(
  settings: TracingSettings | undefined,
  residency: Residency | undefined,
): TracingSettings | undefined {
  if (!settings || !residency) return settings;
  const known = [...residency.regions].flatMap(([region, { otlpEndpoint }]) =>
    otlpEndpoint ? [[region, otlpEndpoint]] : [],
  );
  return { ...settings, regions: Object.fromEntries(known) };
}
