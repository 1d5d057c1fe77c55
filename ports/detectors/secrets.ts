export const secretDetector = { name: 's', detect: (t: string): any[] => [] };
