// Says at the end which tests passed only when they were run again, and what had failed: a retry must not hide a fault.

/** @implements {import('vitest/node').Reporter} */
export default class RetriedReporter {
  #retried = [];

  onTestCaseResult(test) {
    if (!test.diagnostic()?.flaky) return;
    const why = (test.result().errors ?? []).map(({ message }) => message?.split('\n')[0] ?? '');
    this.#retried.push(`${test.module.relativeModuleId} > ${test.fullName}: ${why.join('; ')}`);
  }

  onTestRunEnd() {
    if (this.#retried.length === 0) return;
    console.log(`\npassed only when run again (${this.#retried.length}):`);
    for (const line of this.#retried) console.log(`  ! ${line}`);
  }
}
