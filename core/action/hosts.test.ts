// Hosts that are not what they look like: what an address means decides, however it is written.

import { describe, expect, test } from 'vitest';
import { admit, admitShell, gravest } from './admit.fixture.ts';
import { isHomograph, mappedIpv4, namedIpv4, punycode } from './hosts.ts';

const get = (url: string) => gravest(admit('http', { method: 'GET', url, headers: {}, body: '' }));
const post = (url: string) => gravest(admit('http', { method: 'POST', url, headers: {}, body: 'x' }));

describe('addresses of the machine and its cloud', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[fd00:ec2::254]/',
    'http://169.254.169.254.nip.io/',
    'http://x-169-254-169-254.sslip.io/',
    'http://metadata.google.internal/computeMetadata/v1/',
    'http://user@169.254.169.254/',
    // Some end the host at a backslash, some before an @ behind it.
    'http://api.example\\@169.254.169.254/',
    'http://169.254.169.254\\@api.example/',
    'http:///169.254.169.254/',
    'http://169\u3002254\uff0e169\uff61254/',
    'http://%31%36%39.254.169.254/',
    'http://metadata%2Egoogle.internal/',
  ])('%s is the metadata service', (url) => {
    expect(get(url).effect).toBe('read_credential');
  });

  test.each([
    'http:/169.254.169.254/',
    'HTTP:\\\\169.254.169.254\\latest',
    'file:/etc/shadow',
    'file:///etc/shadow',
    'file://localhost/etc/shadow',
  ])('curl %s reads credentials', (url) => {
    expect(gravest(admitShell(`curl '${url}'`)).effect).toBe('read_credential');
  });

  test.each([
    'curl -x http://169.254.169.254:80 http://x.example/latest/meta-data/',
    'curl --proxy 0xa9fea9fe:80 http://x.example/latest/meta-data/',
    'curl --connect-to ::2852039166: http://x.example/',
    "curl --resolve 'x.example:80:[fd00:ec2::254]' http://x.example/",
  ])('%s is led to the metadata service', (command) => {
    expect(gravest(admitShell(command)).effect).toBe('read_credential');
  });

  test('a pattern in the place of a host is any of them', () => {
    const effect = (url: string) => gravest(admitShell(`curl ${url}`)).effect;
    expect(effect("'http://{169.254.169.254,x.example}/'")).toBe('unknown');
    expect(effect("'http://169.254.[169-169].254/' 'http://[168-169].254.169.254/'")).not.toBe('fetch');
    expect(effect("-g 'http://x.example/{a}'")).toBe('fetch');
    expect(effect("'http://x.example/{a,b}/[1-3]'")).toBe('fetch');
    expect(effect("'http://[2001:db8::1]/'")).toBe('fetch');
  });

  test.each([
    ['http://10.0.3.4/', 'tenant'],
    ['http://100.64.3.4/', 'tenant'],
    ['http://[fd12:3456::1]/', 'tenant'],
    ['http://[fe80::1]/', 'tenant'],
    ['http://127.0.0.1:8080/', 'self'],
    ['http://[::1]/', 'self'],
    // Names that begin like a private address are anybody's.
    ['http://10.evil.example/', 'third_party'],
    ['http://127.evil.example/', 'third_party'],
    ['http://192.168.1.1.evil.example/', 'third_party'],
    ['http://100.200.3.4/', 'third_party'],
    ['https://evil.example\\@127.0.0.1/', 'third_party'],
  ])('%s belongs to %s', (url, owner) => {
    expect(post(url).externality.destination_ownership).toBe(owner);
  });
});

describe('names that look like others', () => {
  test.each([
    'gіthub.com',
    'аррӏе.com',
    'xn--80ak6aa92e.com',
    'ｇithub.com',
    'pаypal.example',
    'xn--9999999999999999999.com',
  ])('%s does', (host) => {
    expect(isHomograph(host)).toBe(true);
    expect(get(`https://${host}/`).flags).toContain('homograph_host');
    expect(gravest(admitShell(`curl https://${host}/`)).flags).toContain('homograph_host');
  });

  test.each([
    'github.com',
    'münchen.de',
    'xn--mnchen-3ya.de',
    'пример.рф',
    'xn--e1afmkfd.xn--p1ai',
    '例え.jp',
    'ελληνικά.gr',
    'xn-work.example',
  ])('%s does not', (host) => {
    expect(isHomograph(host)).toBe(false);
  });

  test('punycode is read as RFC 3492 has it', () => {
    expect(punycode('mnchen-3ya')).toBe('münchen');
    expect(punycode('80ak6aa92e')).toBe('аррӏе');
    expect(punycode('ihqwcrb4cv8a8dqg056pqjye')).toBe('他们为什么不说中文');
    expect(punycode('!!!')).toBeUndefined();
    expect(mappedIpv4('::ffff:1.2.3.4')).toBe('1.2.3.4');
    expect(mappedIpv4('::1')).toBeUndefined();
    expect(namedIpv4('a.1.2.3.4.nip.io')).toBe('1.2.3.4');
    expect(namedIpv4('1.2.3.4.example')).toBeUndefined();
  });
});

test('an address that is a program or a page of its own cannot be seen through', () => {
  for (const url of ['javascript:alert(1)', 'data:text/html,<script>x</script>', 'data:image/svg+xml,<svg/>'])
    expect(gravest(admit('browser', { action: 'navigate', url, argumentsJson: '' })).effect, url).toBe('run_opaque');
  const picture = gravest(
    admit('browser', { action: 'navigate', url: 'data:image/png;base64,iVBO', argumentsJson: '' }),
  );
  expect(picture.effect).toBe('fetch');
});
