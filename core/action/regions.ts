// Regions of clouds in which a proposal puts or changes something, as far as its own words say: what a tenant's list of
// regions is held against. Read from options, variables and addresses, never from the text that is sent.

import type { Draft } from './draft.ts';
import type { ActionPart, Effect } from './types.ts';

export const MAX_REGIONS = 32;
/** Characters of one text that are looked through. */
const MAX_TEXT = 2_048;

/** `eu-west-1`, `us-gov-east-1`; zones end in a letter. */
const AWS =
  /(?<![a-z\d-])(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d(?=[a-z]?(?![a-z\d]))/g;
/** `europe-west1`; zones end in `-b`. */
const GOOGLE =
  /(?<![a-z\d-])(?:us|europe|asia|australia|northamerica|southamerica|africa|me)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)\d{1,2}(?![a-z\d])/g;
const AZURE =
  /(?<![a-z\d-])(?:(?:east|west|central|northcentral|southcentral|westcentral)us[23]?|(?:north|west)europe|uk(?:south|west)|france(?:central|south)|germany(?:westcentral|north)|norway(?:east|west)|sweden(?:central|south)|switzerland(?:north|west)|polandcentral|italynorth|spaincentral|austriaeast|israelcentral|qatarcentral|uae(?:north|central)|(?:south)?eastasia|japan(?:east|west)|korea(?:central|south)|australia(?:east|southeast|central2?)|(?:central|south|west)india|jioindia(?:west|central)|canada(?:central|east)|brazil(?:south|southeast)|southafrica(?:north|west)|mexicocentral|newzealandnorth|chilecentral)(?![a-z\d])/gi;

/** Only taking away puts nothing anywhere. */
const PLACES = new Set<Effect>([
  'send',
  'share',
  'publish',
  'infra_change',
  'database_change',
  'identity_change',
  'unknown',
]);
/** Of these the options and variables count, not the address alone: their words hold no payload. */
const CLOUDS =
  /^(?:aws|gcloud|gsutil|bq|az|azcopy|oci|aliyun|ibmcloud|s3cmd|s5cmd|mc|rclone|b2|doctl|eb|sam|cdk|terraform|tofu|terragrunt|pulumi|eksctl|serverless|sls)$/;

export class Regions {
  readonly #found = new Set<string>();

  /** `part` is what became of `draft`. */
  add(draft: Draft, part: ActionPart): void {
    if (!PLACES.has(part.effect) || part.externality.external_write === false) return;
    const texts = draft.targets.map((target) => target.id);
    if (CLOUDS.test(draft.tool)) texts.push(draft.operation, ...(draft.residue ?? []));
    for (const text of texts) this.#read(text.slice(0, MAX_TEXT));
  }

  list(): string[] {
    return [...this.#found].sort();
  }

  #read(text: string): void {
    for (const form of [AWS, GOOGLE, AZURE]) {
      for (const [region] of text.matchAll(form)) {
        if (this.#found.size < MAX_REGIONS) this.#found.add(region.toLowerCase());
      }
    }
  }
}
