package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// statement is as much of an in-toto Statement v1 as is looked at.
type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string `json:"predicateType"`
	Predicate     struct {
		ReceiptID string `json:"receipt_id"`
	} `json:"predicate"`
}

// verifyReceipt checks a DSSE envelope with go-securesystemslib and decodes the payload that was verified.
func verifyReceipt(envelope []byte, keys []dsse.Verifier) (*statement, error) {
	verifier, err := dsse.NewEnvelopeVerifier(keys...)
	if err != nil {
		return nil, err
	}
	var parsed dsse.Envelope
	if err := json.Unmarshal(envelope, &parsed); err != nil {
		return nil, err
	}
	if parsed.PayloadType != "application/vnd.in-toto+json" {
		return nil, fmt.Errorf("payload type %q", parsed.PayloadType)
	}
	_, payload, err := verifier.VerifyAndDecode(context.Background(), &parsed)
	if err != nil {
		return nil, err
	}
	var found statement
	if err := json.Unmarshal(payload, &found); err != nil {
		return nil, err
	}
	if found.Type != "https://in-toto.io/Statement/v1" || len(found.Subject) != 1 {
		return nil, errors.New("not an in-toto Statement v1 about one subject")
	}
	return &found, nil
}

// jwk makes one key of a JWK set a dsse.Verifier under its kid.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Kid string `json:"kid"`

	public ed25519.PublicKey
}

func (k *jwk) KeyID() (string, error)   { return k.Kid, nil }
func (k *jwk) Public() crypto.PublicKey { return k.public }
func (k *jwk) Verify(_ context.Context, data, signature []byte) error {
	if !ed25519.Verify(k.public, data, signature) {
		return errors.New("the signature does not verify")
	}
	return nil
}

func readKeys(path string) ([]dsse.Verifier, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []*jwk `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	var keys []dsse.Verifier
	for _, key := range set.Keys {
		if key.public, err = base64.RawURLEncoding.DecodeString(key.X); err != nil {
			return nil, err
		}
		if key.Kty != "OKP" || key.Crv != "Ed25519" || len(key.public) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %q is not an Ed25519 key", key.Kid)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
