// What crosses a network without TLS can be read and kept by whoever is on the way: the token, and every proposal.

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Whether what is sent to this address leaves the machine in clear. */
export function crossesInClear({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !LOOPBACK.test(hostname);
}
