export const piiDetector = { name: 's', detect: (t: string): any[] => [] };
