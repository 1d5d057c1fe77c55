// What is planned, applied and taken away, and where. Routes follow from policies/cases/infrastructure.json.

import { describe, expect, test } from 'vitest';
import { admitShell, gravest } from '../admit.fixture.ts';
import type { Effect } from '../types.ts';

const STAGE = /^(?:production|non_production|unplanned|saved_plan|dry_run|printed|bulk|force)$/;

function read(command: string): string {
  const part = gravest(admitShell(command));
  return [part.effect, ...part.flags.filter((flag) => STAGE.test(flag))].join(' ');
}

const READS: readonly string[] = [
  ...[
    'plan',
    'plan -destroy',
    'show tf.plan',
    'show -json tf.plan',
    'validate',
    'state list',
    'state show a.b',
    'output',
  ],
  ...['workspace list', 'graph', 'providers schema', 'version', 'metadata functions'],
].map((rest) => `terraform ${rest}`);

describe('nothing is changed', () => {
  test.each([
    ...READS,
    ...READS.map((line) => line.replace('terraform', 'tofu')),
    'terraform -chdir=envs/prod plan -var-file=prod.tfvars',
    'terraform state rm -dry-run a.b',
    'terragrunt plan',
    'terragrunt run-all plan',
    'terragrunt run --all -- plan',
    'terragrunt --terragrunt-working-dir envs/prod run-all plan',
    'terragrunt stack run plan',
    'terragrunt dag graph',
    'pulumi preview --diff -s prod',
    'pulumi up --preview-only',
    'pulumi destroy --preview-only',
    'pulumi stack ls',
    'pulumi config get x',
    'cdk diff',
    'cdk ls',
    'npx cdk diff',
    'cdk deploy --no-execute',
    'cdk deploy --method=prepare-change-set',
    'ansible-playbook site.yml --check',
    'ansible-playbook -i inventories/production site.yml -C --diff',
    'ansible-playbook site.yml --list-hosts',
    'ansible all -m ping',
    'ansible-inventory --list',
  ])('%s', (command) => expect(read(command)).toMatch(/^read(?: bulk| dry_run)*$/));

  test.each([
    ['terraform fmt -recursive', 'build'],
    ['cdk synth', 'build'],
    ['terraform plan -out=tf.plan', 'write'],
    ['terraform workspace select staging', 'write'],
    ['pulumi config set region eu', 'write'],
    ['terraform init', 'install_local'],
  ] satisfies [string, Effect][])('%s is %s', (command, effect) => expect(read(command)).toBe(effect));
});

describe('applied', () => {
  test.each([
    ['terraform apply tf.plan', 'infra_change saved_plan'],
    ['terraform apply -input=false tf.plan', 'infra_change saved_plan'],
    ['terraform apply', 'infra_change unplanned'],
    ['terraform apply -auto-approve', 'infra_change force unplanned'],
    ['terraform apply -refresh-only', 'infra_change unplanned'],
    ['terraform apply $PLAN', 'infra_change unplanned'],
    ['tofu apply -auto-approve', 'infra_change force unplanned'],
    ['terragrunt run-all apply --terragrunt-non-interactive', 'infra_change bulk force unplanned'],
    ['terragrunt run --all -- apply -auto-approve', 'infra_change bulk force unplanned'],
    ['terragrunt stack run apply', 'infra_change bulk unplanned'],
    ['terragrunt graph apply', 'infra_change bulk unplanned'],
    ['pulumi up --yes', 'infra_change force unplanned'],
    ['pulumi up --plan plan.json', 'infra_change saved_plan'],
    ['pulumi watch', 'infra_change force unplanned'],
    ['cdk deploy', 'infra_change'],
    ['cdk deploy --require-approval never', 'infra_change force'],
    ['cdk watch', 'infra_change force'],
    ['npx aws-cdk@2 deploy', 'infra_change'],
    ['cdktf deploy --auto-approve', 'infra_change force'],
    ['terraform test', 'infra_change'],
    ['terraform import a.b i-1', 'infra_change'],
    ['terraform taint a.b', 'infra_change'],
    ['terraform force-unlock -force 1', 'infra_change force'],
    ['ansible-playbook site.yml', 'infra_change bulk'],
    ['ansible all -m file -a "path=/x state=absent"', 'infra_change bulk'],
    ['cdk bootstrap', 'identity_change'],
    ['terraform login', 'identity_change'],
    ['ansible-pull -U https://example.org/x.git', 'download_execute'],
    ['pulumi policy disable org/pack', 'security_disable'],
  ])('%s: %s', (command, what) => expect(read(command)).toBe(what));
});

describe('taken away', () => {
  test.each([
    ['terraform destroy', 'infra_destroy bulk'],
    ['terraform destroy -target=a.b', 'infra_destroy bulk'],
    ['terraform apply -destroy -auto-approve', 'infra_destroy bulk force'],
    ['terraform -chdir=envs/staging destroy', 'infra_destroy bulk'],
    ['terraform state rm a.b', 'infra_destroy'],
    ['terraform state push x.tfstate', 'infra_destroy'],
    ['terraform workspace delete -force old', 'infra_destroy'],
    ['terragrunt run-all destroy', 'infra_destroy bulk'],
    ['terragrunt run --all -- apply -destroy', 'infra_destroy bulk'],
    ['terragrunt destroy-all', 'infra_destroy bulk'],
    ['pulumi destroy --yes', 'infra_destroy bulk force'],
    ['pulumi stack rm --force old', 'infra_destroy force'],
    ['pulumi state delete urn:x', 'infra_destroy'],
    ['cdk destroy --force', 'infra_destroy bulk force'],
    ['cdk gc', 'infra_destroy bulk'],
    ['yes | terraform destroy', 'infra_destroy bulk'],
  ])('%s: %s', (command, what) => expect(read(command)).toBe(what));
});

describe('secrets of a store, shown', () => {
  test.each([
    'pulumi config --show-secrets',
    'pulumi stack output --show-secrets',
    'pulumi stack export --show-secrets',
    'pulumi env open org/env',
  ])('%s', (command) => expect(read(command)).toBe('secret_fetch printed'));

  test('a value that is to be kept secret is nowhere in clear', () => {
    const { action, findings } = admitShell('pulumi config set --secret dbPassword hunter22');
    expect(JSON.stringify(action)).not.toContain('hunter22');
    expect(findings).toMatchObject([{ kind: 'secret_argument' }]);
  });
});

describe('for which environment', () => {
  test.each([
    'terraform -chdir=envs/prod apply',
    'cd envs/production && terraform apply',
    'terraform apply -var-file=prod.tfvars',
    'terraform apply -var environment=production',
    'terraform apply -var="env=prod"',
    'TF_WORKSPACE=prod terraform apply',
    'export TF_WORKSPACE=prod; terraform apply',
    'terraform workspace select prod && terraform apply',
    'terraform apply prod.tfplan',
    'terraform -chdir=envs/staging apply -var-file=prod.tfvars',
    'terragrunt --working-dir live/eu apply',
    'terragrunt run --all --queue-include-dir prod -- apply',
    'pulumi up -s acme/shop/prod',
    'pulumi stack select prod && pulumi up',
    'cdk deploy ProdStack',
    'cdk deploy ShopProd',
    'cdk deploy -c env=prod',
    'cdk deploy --profile prod-admin',
    'ansible-playbook -i inventories/production site.yml',
    'ansible-playbook site.yml --limit prod',
    'ansible-playbook site.yml -e env=prod',
    'terraform -chdir=envs/prod destroy',
    'pulumi destroy -s prod',
  ])('production: %s', (command) => expect(read(command).split(' ')).toContain('production'));

  test.each([
    'terraform -chdir=envs/staging apply tf.plan',
    'cd envs/dev && terraform apply tf.plan',
    'terraform apply -var-file=staging.tfvars tf.plan',
    'terraform workspace select staging && terraform apply tf.plan',
    'TF_WORKSPACE=dev terraform taint a.b',
    'terraform -chdir=envs/staging import a.b i-1',
    'pulumi up -s acme/product/dev --plan p.json',
    'cdk deploy -c env=staging',
    'ansible-playbook -i inventories/staging/hosts site.yml',
  ])('not production: %s', (command) => expect(read(command).split(' ')).toContain('non_production'));

  test.each([
    ['nothing says where', 'terraform apply tf.plan'],
    ['a file may be called anything', 'terraform apply staging.tfplan'],
    ['a word that only holds it', 'terraform -chdir=products/latest apply tf.plan'],
    ['a lock is nobody else’s to take', 'terraform -chdir=envs/staging force-unlock 1'],
    ['state is moved for all', 'terraform -chdir=envs/staging state mv a b'],
    ['what is taken away is gone there, too', 'terraform -chdir=envs/staging destroy'],
    ['what is taken away is gone there, too', 'pulumi destroy --yes -s dev'],
    ['another line', 'terraform apply tf.plan # staging'],
  ])('neither: %s: %s', (_why, command) => expect(read(command)).not.toMatch(/production/));
});

test('an approval of one plan, environment or folder covers no other', () => {
  const lines = [
    'terraform apply a.plan',
    'terraform apply b.plan',
    'terraform apply',
    'terraform -chdir=envs/a apply a.plan',
    'TF_WORKSPACE=a terraform apply a.plan',
    'TF_WORKSPACE=b terraform apply a.plan',
    'terraform workspace select c && terraform apply a.plan',
    'terraform apply -var x=1',
    'terraform apply -var x=2',
    'terraform apply -target=a.b',
  ];
  const parts = lines.map((line) => JSON.stringify(gravest(admitShell(line))));
  expect(new Set(parts).size).toBe(lines.length);
  expect(gravest(admitShell('terraform apply a.plan')).targets).toEqual(['plan:/home/ada/work/a.plan']);
});
