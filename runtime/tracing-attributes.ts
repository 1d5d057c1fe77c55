// Names of span attributes that more than one place must agree on; apart, so that nothing of tracing is loaded for a name.

/** By this a span is sent to its region's collector, and to no other. */
export const REGION_ATTRIBUTE = 'beacon.region';
