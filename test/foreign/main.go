// Command foreign verifies what Beacon publishes with implementations by others, and shares no code with it.
//
//	foreign FOLDER [PREFIX]
//
// FOLDER holds jwks.json, log.vkey, receipts as NAME.json and their proofs as NAME.tlog-proof, and optionally
// checkpoint.old. PREFIX is where checkpoint and tiles are: a folder or an http(s) address (default FOLDER). With
// BEACON_TOKEN set it is sent along, and entry bundles are checked too. Prints one JSON document; exits 1 on any fault.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type finding struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	// Of a receipt: what the verified statement says.
	PredicateType string `json:"predicate_type,omitempty"`
	ReceiptID     string `json:"receipt_id,omitempty"`
	// Of a proof or a tree.
	Size int64 `json:"size,omitempty"`
}

type report struct {
	OK       bool               `json:"ok"`
	Receipts map[string]finding `json:"receipts"`
	Proofs   map[string]finding `json:"proofs"`
	Tree     finding            `json:"tree"`
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: foreign FOLDER [PREFIX]")
		os.Exit(2)
	}
	folder, prefix := os.Args[1], os.Args[1]
	if len(os.Args) > 2 {
		prefix = os.Args[2]
	}
	result, err := check(folder, prefix)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(2)
	}
	if !result.OK {
		os.Exit(1)
	}
}

func check(folder, prefix string) (*report, error) {
	keys, err := readKeys(filepath.Join(folder, "jwks.json"))
	if err != nil {
		return nil, err
	}
	vkey, err := os.ReadFile(filepath.Join(folder, "log.vkey"))
	if err != nil {
		return nil, err
	}
	log, err := newLog(strings.TrimSpace(string(vkey)), prefix)
	if err != nil {
		return nil, err
	}
	result := &report{OK: true, Receipts: map[string]finding{}, Proofs: map[string]finding{}}
	note := func(size int64, err error) finding {
		if err != nil {
			result.OK = false
			return finding{Error: err.Error()}
		}
		return finding{OK: true, Size: size}
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	leaves := map[int64][]byte{}
	for _, path := range names {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if name == "jwks" {
			continue
		}
		leaf, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		statement, err := verifyReceipt(leaf, keys)
		found := note(0, err)
		if err == nil {
			found.PredicateType, found.ReceiptID = statement.PredicateType, statement.Predicate.ReceiptID
		}
		result.Receipts[name] = found
		proof, err := os.ReadFile(filepath.Join(folder, name+".tlog-proof"))
		if err != nil {
			continue
		}
		index, size, err := log.verifyProof(leaf, proof)
		result.Proofs[name] = note(size, err)
		if err == nil {
			leaves[index] = leaf
		}
	}
	old, _ := os.ReadFile(filepath.Join(folder, "checkpoint.old"))
	result.Tree = note(log.verifyTree(leaves, old))
	return result, nil
}
