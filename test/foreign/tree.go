package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

type log struct {
	verifier note.Verifier
	prefix   string
}

func newLog(vkey, prefix string) (*log, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	return &log{verifier, prefix}, nil
}

// open verifies a checkpoint's signature by the log and gives its tree.
func (l *log) open(checkpoint []byte) (*tlog.Tree, error) {
	parsed, rest, _, err := formats.ParseCheckpoint(checkpoint, l.verifier.Name(), l.verifier)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 || len(parsed.Hash) != tlog.HashSize {
		return nil, errors.New("the checkpoint holds more or less than three lines")
	}
	return &tlog.Tree{N: int64(parsed.Size), Hash: tlog.Hash(parsed.Hash)}, nil
}

// verifyProof parses with transparency-dev/formats and checks with transparency-dev/merkle and with x/mod's tlog.
func (l *log) verifyProof(leaf, text []byte) (index, size int64, err error) {
	var parsed tlogproof.TLogProof
	if err := parsed.Unmarshal(text); err != nil {
		return 0, 0, err
	}
	tree, err := l.open(parsed.Checkpoint)
	if err != nil {
		return 0, 0, err
	}
	var path [][]byte
	var record tlog.RecordProof
	for _, hash := range parsed.Hashes {
		path = append(path, hash[:])
		record = append(record, tlog.Hash(hash))
	}
	hasher := rfc6962.DefaultHasher
	index, size = int64(parsed.Index), tree.N
	err = proof.VerifyInclusion(hasher, parsed.Index, uint64(size), hasher.HashLeaf(leaf), path, tree.Hash[:])
	if err != nil {
		return 0, 0, err
	}
	return index, size, tlog.CheckRecord(record, size, tree.Hash, index, tlog.RecordHash(leaf))
}

// verifyTree reads the published checkpoint and tiles: they give the checkpoint's root, hold the leaves at their places,
// and extend the old checkpoint, if there is one.
func (l *log) verifyTree(leaves map[int64][]byte, old []byte) (int64, error) {
	checkpoint, err := l.read("checkpoint")
	if err != nil {
		return 0, err
	}
	tree, err := l.open(checkpoint)
	if err != nil {
		return 0, err
	}
	// TileHashReader authenticates every tile it reads against the tree's hash.
	hashes := tlog.TileHashReader(*tree, l)
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		return 0, errors.New("the tiles give another root than the checkpoint")
	}
	for index, leaf := range leaves {
		path, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
			return 0, fmt.Errorf("leaf %d: %w", index, err)
		}
	}
	if old != nil {
		if err := l.verifyGrowth(old, tree, hashes); err != nil {
			return 0, err
		}
	}
	if os.Getenv("BEACON_TOKEN") != "" || !strings.HasPrefix(l.prefix, "http") {
		return tree.N, l.verifyEntries(tree.N, hashes)
	}
	return tree.N, nil
}

func (l *log) verifyGrowth(old []byte, tree *tlog.Tree, hashes tlog.HashReader) error {
	before, err := l.open(old)
	if err != nil {
		return err
	}
	path, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, tree.N, tree.Hash, before.N, before.Hash)
}

// verifyEntries hashes every leaf of every entry bundle and compares with the tree.
func (l *log) verifyEntries(size int64, hashes tlog.HashReader) error {
	for start := int64(0); start < size; start += 1 << tileHeight {
		width := min(size-start, 1<<tileHeight)
		tile := tlog.Tile{H: tileHeight, L: -1, N: start >> tileHeight, W: int(width)}
		bundle, err := l.read(pathOf(tile))
		if err != nil {
			return err
		}
		var places []int64
		for index := start; index < start+width; index++ {
			places = append(places, tlog.StoredHashIndex(0, index))
		}
		want, err := hashes.ReadHashes(places)
		if err != nil {
			return err
		}
		for index := start; index < start+width; index++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("the entry bundle ends before leaf %d", index)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:2+length]) != want[index-start] {
				return fmt.Errorf("entry %d is not the leaf in the tree", index)
			}
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			return fmt.Errorf("the entry bundle at %d is too long", start)
		}
	}
	return nil
}

func (l *log) Height() int                         { return tileHeight }
func (l *log) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (l *log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := l.read(pathOf(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

// pathOf spells a tile as C2SP tlog-tiles does: without the height, data tiles as entries.
func pathOf(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func (l *log) read(path string) ([]byte, error) {
	if !strings.HasPrefix(l.prefix, "http") {
		return os.ReadFile(filepath.Join(l.prefix, filepath.FromSlash(path)))
	}
	request, err := http.NewRequest(http.MethodGet, l.prefix+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	if token := os.Getenv("BEACON_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := io.Copy(&body, response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", path, response.StatusCode)
	}
	return body.Bytes(), nil
}
