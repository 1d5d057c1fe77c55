// Ed25519 keys: one that signs, and the public halves of those that once did.

export type PublicKey = {
  /** RFC 7638 JWK thumbprint (SHA-256, base64url): the DSSE keyid and the JWK `kid`. */
  readonly keyId: string;
  /** 32 bytes, RFC 8032. */
  readonly bytes: Uint8Array;
};

export type SigningKey = {
  readonly publicKey: PublicKey;
  /** 64 bytes, RFC 8032 (pure Ed25519). */
  sign(message: Uint8Array): Uint8Array;
};

export type SigningKeys = {
  current(): SigningKey;
  /** Every key that ever signed, the current one first. Never shrinks. */
  all(): readonly PublicKey[];
  /** Makes a new key durable, then current; the old public half stays published. */
  rotate(): Promise<void>;
};
