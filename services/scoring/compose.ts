export const composeScoring = (o: any): any => ({ service: {}, stop() {} });
