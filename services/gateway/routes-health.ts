// Alive, ready, measured.

import type { Route, RouteDependencies } from './types.ts';

export function healthRoutes({ services }: RouteDependencies<'ready' | 'exposeMetrics'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      operation: 'health',
      handle: async () => ({ json: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      operation: 'health',
      async handle() {
        const { ready, reasons } = await services.ready();
        return { status: ready ? 200 : 503, json: { status: ready ? 'ready' : 'not_ready', reasons } };
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      operation: 'metrics',
      async handle({ accept }) {
        const { contentType, text } = await services.exposeMetrics(accept);
        return { bytes: text, headers: { 'content-type': contentType } };
      },
    },
  ];
}
