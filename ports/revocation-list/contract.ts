// What every revocation list must do. `flush` makes the store forget everything behind the list's back.

import { describe, expect, it } from 'vitest';
import type { RevocationList } from './port.ts';

export type ListUnderTest = { readonly list: RevocationList; flush(): Promise<void> | void };

export function describeRevocationList(name: string, make: () => Promise<ListUnderTest> | ListUnderTest): void {
  const entry = (scope: string, epoch: number) => ({ scope, revocationId: `rev_${epoch}`, epoch });
  const revoke = (scope: string, epoch: number) => ({ ...entry(scope, epoch), operation: 'revoke' as const });
  const reinstate = (scope: string, epoch: number) => ({ ...entry(scope, epoch), operation: 'reinstate' as const });
  const started = async (): Promise<ListUnderTest> => {
    const made = await make();
    await made.list.rebuild([], 0);
    return made;
  };

  describe(`revocation list: ${name}`, () => {
    it('knows no epoch when new, and takes no change before it was rebuilt', async () => {
      const { list } = await make();
      expect(await list.consult(['global'])).toEqual({ epoch: undefined, revoked: [] });
      await expect(list.apply(revoke('agent:t/a', 1))).rejects.toMatchObject({ code: 'failed_precondition' });
      expect((await list.consult(['agent:t/a'])).epoch).toBeUndefined();
    });

    it('answers which of the scopes are revoked, and the epoch', async () => {
      const { list } = await started();
      await list.apply(revoke('agent:t/a', 1));
      await list.apply(revoke('tool:git', 2));
      const answer = await list.consult(['global', 'agent:t/a', 'tool:git', 'agent:t/b', '__proto__', 'constructor']);
      expect(answer.epoch).toBe(2);
      expect([...answer.revoked].sort()).toEqual(['agent:t/a', 'tool:git']);
    });

    it('ignores an epoch at or below its own', async () => {
      const { list } = await started();
      await list.rebuild([], 4);
      await list.apply(revoke('agent:t/a', 5));
      await list.apply(reinstate('agent:t/a', 5));
      await list.apply(reinstate('agent:t/a', 4));
      expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 5, revoked: ['agent:t/a'] });
      await list.apply(reinstate('agent:t/a', 6));
      expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 6, revoked: [] });
      await list.apply(revoke('agent:t/a', 5));
      expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 6, revoked: [] });
    });

    it('takes no change that skips an epoch: what lies between would be forgotten under a new epoch', async () => {
      const { list } = await started();
      await list.apply(revoke('agent:t/a', 1));
      await expect(list.apply(revoke('agent:t/c', 3))).rejects.toMatchObject({ code: 'failed_precondition' });
      expect(await list.consult(['agent:t/a', 'agent:t/c'])).toEqual({ epoch: 1, revoked: ['agent:t/a'] });
    });

    it('rebuilds the whole list at once, never to an older epoch', async () => {
      const { list } = await started();
      await list.rebuild([], 2);
      await list.apply(revoke('agent:t/a', 3));
      await expect(list.rebuild([], 2)).rejects.toMatchObject({ code: 'failed_precondition' });
      expect((await list.consult(['agent:t/a'])).revoked).toEqual(['agent:t/a']);
      await list.rebuild([entry('agent:t/b', 4)], 7);
      expect(await list.consult(['agent:t/a', 'agent:t/b'])).toEqual({ epoch: 7, revoked: ['agent:t/b'] });
      expect(await list.list()).toEqual([entry('agent:t/b', 4)]);
      await list.rebuild([], 7);
      expect(await list.list()).toEqual([]);
    });

    it('is without an epoch after a flush, and stays so whatever is applied', async () => {
      const { list, flush } = await started();
      await list.apply(revoke('agent:t/a', 1));
      await flush();
      expect((await list.consult(['agent:t/a'])).epoch).toBeUndefined();
      await expect(list.apply(revoke('agent:t/b', 2))).rejects.toMatchObject({ code: 'failed_precondition' });
      expect((await list.consult(['agent:t/a'])).epoch).toBeUndefined();
    });

    it('surveys: which of the scopes are revoked, and every tool in force as of the same epoch', async () => {
      const { list, flush } = await make();
      expect((await list.survey(['global'])).epoch).toBeUndefined();
      await list.rebuild([entry('tool:Bash', 1), entry('agent:t/a', 2)], 2);
      const survey = async () => {
        const { tools, ...rest } = await list.survey(['global', 'agent:t/a']);
        return { ...rest, tools: [...(tools ?? ['?'])].sort() };
      };
      expect(await survey()).toEqual({ epoch: 2, revoked: ['agent:t/a'], tools: ['tool:Bash'] });
      await list.apply(revoke('tool:mcp__a__b', 3));
      await list.apply(reinstate('agent:t/a', 4));
      expect(await survey()).toEqual({ epoch: 4, revoked: [], tools: ['tool:Bash', 'tool:mcp__a__b'] });
      await list.apply(reinstate('tool:Bash', 5));
      await list.apply(reinstate('tool:mcp__a__b', 6));
      expect(await survey()).toEqual({ epoch: 6, revoked: [], tools: [] });
      await list.apply(revoke('global', 7));
      expect(await survey()).toEqual({ epoch: 7, revoked: ['global'], tools: [] });
      await flush();
      expect((await list.survey(['global'])).epoch).toBeUndefined();
      await expect(list.survey([])).rejects.toMatchObject({ code: 'invalid_argument' });
    });

    it('names up to 64 tools in a survey, none where there are more, and all again when they are fewer', async () => {
      const { list } = await started();
      const tools = Array.from({ length: 65 }, (_, n) => entry(`tool:t${n}`, n + 1));
      await list.rebuild(tools.slice(1), 70);
      expect((await list.survey(['global'])).tools).toHaveLength(64);
      await list.apply(revoke('tool:t0', 71));
      expect((await list.survey(['global'])).tools).toBeUndefined();
      await list.apply(revoke('agent:t/a', 72));
      expect((await list.survey(['global'])).tools).toBeUndefined();
      expect((await list.consult(['tool:t0', 'tool:t64'])).revoked).toEqual(['tool:t0', 'tool:t64']);
      await list.apply(reinstate('tool:t7', 73));
      expect((await list.survey(['global'])).tools).toHaveLength(64);
    });

    it('takes 1 to 64 scopes', async () => {
      const { list } = await started();
      await expect(list.consult([])).rejects.toMatchObject({ code: 'invalid_argument' });
      const many = Array.from({ length: 65 }, (_, n) => `tool:t${n}`);
      await expect(list.consult(many)).rejects.toMatchObject({ code: 'invalid_argument' });
      expect((await list.consult(many.slice(1))).epoch).toBe(0);
    });
  });
}
