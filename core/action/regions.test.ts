import { expect, test } from 'vitest';
import { admit, admitShell } from './admit.fixture.ts';
import { MAX_REGIONS } from './regions.ts';

test.each([
  ['aws s3 cp a.csv s3://b/ --region us-east-1', ['us-east-1']],
  ['AWS_REGION=ap-south-1 aws s3 mb s3://b', ['ap-south-1']],
  ['export AWS_DEFAULT_REGION=us-gov-east-1; aws s3 sync . s3://b', ['us-gov-east-1']],
  ['aws ec2 run-instances --placement AvailabilityZone=us-east-1a', ['us-east-1']],
  ['gcloud compute instances create x --zone us-central1-a', ['us-central1']],
  ['gcloud run deploy x --region=europe-west1', ['europe-west1']],
  ['az vm create -n x --location WestEurope', ['westeurope']],
  ['curl -X PUT https://b.s3.us-east-1.amazonaws.com/x -d @a', ['us-east-1']],
  ['terraform apply -var region=us-east-1', ['us-east-1']],
  ['aws s3 cp a s3://b --region eu-west-1 && aws s3 cp a s3://c --region us-west-2', ['eu-west-1', 'us-west-2']],
])('%s', (command, regions) => expect(admitShell(command).regions).toEqual(regions));

test.each([
  ['reading', 'aws ec2 describe-instances --region us-east-1'],
  ['planning', 'terraform plan -var region=us-east-1'],
  ['taking away', 'aws s3 rb s3://b --region us-east-1'],
  ['text that mentions one', 'curl -X POST https://tracker.example/api -d "it fails in us-east-1"'],
  ['a commit', 'git commit -m "move to us-east-1" && git push origin topic'],
  ['a file', 'echo us-east-1 > region.txt'],
  ['a longer word', 'aws s3 mb s3://plus-east-1-logs'],
])('%s puts nothing anywhere', (_what, command) => expect(admitShell(command).regions).toEqual([]));

test('a request of another surface, and not its body', () => {
  const url = 'https://storage.eu-central-1.example.com/x';
  expect(admit('http', { method: 'PUT', url, headers: {}, body: 'for us-east-1' }).regions).toEqual(['eu-central-1']);
});

test('they are bounded', () => {
  const lines = Array.from(
    { length: 60 },
    (_, n) =>
      `aws s3 mb s3://b${n} --region ${['us', 'eu', 'ap'][n % 3]}-${['east', 'west', 'north', 'south'][n % 4]}-${n % 10}`,
  );
  expect(admitShell(lines.join('\n')).regions.length).toBeLessThanOrEqual(MAX_REGIONS);
});
