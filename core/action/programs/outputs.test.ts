// Files that options name: what a program puts somewhere, and what it reads here for something that happens elsewhere.

import { describe, expect, test } from 'vitest';
import { admitShell } from '../admit.fixture.ts';

const touched = (line: string, tag: 'read' | 'write') =>
  admitShell(line)
    .action.parts.filter(({ operation }) =>
      tag === 'write' ? operation === 'write' : /read|hand over/.test(operation),
    )
    .map(({ effect, targets }) => `${effect} ${targets.join(' ')}`);

describe('where what comes out is put', () => {
  test.each([
    ['gh run download 1 -D /etc/cron.d', 'schedule file:/etc/cron.d'],
    ['gh release download v1 -O ~/.bashrc', 'schedule file:/home/ada/.bashrc'],
    ['glab job artifact main build --path=.git/hooks', 'schedule file:/home/ada/work/.git/hooks'],
    ['helm template ./chart --output-dir /etc/x', 'system_change file:/etc/x'],
    ['helm pull repo/chart -d ~/.ssh', 'identity_change file:/home/ada/.ssh'],
    ['helm pull repo/chart --untar --untardir charts', 'write file:/home/ada/work/charts'],
    ['helm package ./chart -d /etc/x', 'system_change file:/etc/x'],
    ['kubectl cluster-info dump --output-directory=/etc/x', 'system_change file:/etc/x'],
    ['kustomize build . -o /etc/x', 'system_change file:/etc/x'],
    ['docker buildx build --output type=local,dest=/etc/x .', 'system_change file:/etc/x'],
    ['syft a -o json=/etc/x', 'system_change file:/etc/x'],
    ['npm pack --pack-destination /etc/x', 'system_change file:/etc/x'],
    ['pip download -d ~/.ssh a', 'identity_change file:/home/ada/.ssh'],
    ['protoc --go_out=/etc/x a.proto', 'system_change file:/etc/x'],
    ['tsc --outDir /etc/x', 'system_change file:/etc/x'],
    ['tsc --outDir dist', 'write file:/home/ada/work/dist'],
    ['pandoc a.md -o ~/.bashrc', 'schedule file:/home/ada/.bashrc'],
    ['pytest --junitxml=/etc/x', 'system_change file:/etc/x'],
    ['yt-dlp -o ~/.bashrc https://x.example/a', 'schedule file:/home/ada/.bashrc'],
    ['aria2c -d ~/.config/autostart https://x.example/a', 'schedule file:/home/ada/.config/autostart'],
  ])('%s', (line, expected) => {
    expect(touched(line, 'write')).toEqual([expected]);
  });

  test.each([
    'kubectl get pods -o json',
    'kubectl get pods -o jsonpath={.items[0].metadata.name}',
    'kubectl get pods -o custom-columns=A:.a/b',
    'aws ec2 describe-instances --output json',
    'helm upgrade a ./chart -o json',
    'docker buildx build --output type=image,push=true .',
    'grep -o ./x f',
    'iptables -A INPUT --destination 10.0.0.0/8 -j ACCEPT',
    'gcc -c a.c -- --output-dir /etc/x',
  ])('nothing in %s', (line) => {
    expect(touched(line, 'write')).toEqual([]);
  });
});

describe('what is read here for something elsewhere', () => {
  test.each([
    ['kubectl apply -f x.yaml', 'x.yaml'],
    ['kubectl create configmap a --from-file=k=conf/app.conf', 'conf/app.conf'],
    ['kubectl create secret generic a --from-file=.env', '.env'],
    ['gh pr create --body-file b.md', 'b.md'],
    ['gh secret set -f .env', '.env'],
    ['aws cloudformation deploy --template-file t.yml', 't.yml'],
    ['eksctl create cluster -f cluster.yaml', 'cluster.yaml'],
    ['velero restore create --file f.yaml', 'f.yaml'],
  ])('%s', (line, file) => {
    const { parts } = admitShell(line).action;
    const read = parts.filter(({ targets }) => targets.includes(`file:/home/ada/work/${file}`));
    expect(read).toEqual([expect.objectContaining({ effect: 'read', scope: 'workspace', systems: ['filesystem'] })]);
  });

  test('a chart is made and packed here', () => {
    for (const line of ['helm create x', 'helm package ./x'])
      expect(admitShell(line).action.parts.map(({ scope }) => scope)).toEqual(['workspace']);
  });

  test.each(['kubectl logs -f web', 'kubectl logs -f deploy/web', 'gh run view --log'])('nothing in %s', (line) => {
    expect(touched(line, 'read')).toEqual([]);
  });
});
