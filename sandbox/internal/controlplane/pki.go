package controlplane

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/kops/pkg/pki"
	"k8s.io/kops/upup/pkg/fi"
)

// pkiDir issues certificates with the CAs of kops' key store into a folder.
type pkiDir struct {
	dir    string
	reader fi.KeystoreReader
	// ids say which keypair of each keyset is the machine's to use: during a
	// rotation of keys that needn't be the primary one.
	ids map[string]string
}

// pair names the files of a certificate and its key.
type pair struct{ cert, key string }

// certificate is one to issue.
type certificate struct {
	signer string
	// kind is client or server.
	kind    string
	subject pkix.Name
	names   []string
	// withCA adds the CA to the certificate's file.
	withCA bool
}

func (d pkiDir) issue(ctx context.Context, name string, c certificate) (pair, error) {
	cert, key, ca, err := pki.IssueCert(ctx, &pki.IssueCertRequest{
		Signer: c.signer, Type: c.kind, Subject: c.subject, AlternateNames: c.names,
	}, d)
	if err != nil {
		return pair{}, fmt.Errorf("issuing the certificate %s: %w", name, err)
	}
	if !c.withCA {
		ca = nil
	}
	return d.writePair(name, cert, key, ca)
}

// keypair writes a CA's certificate and key.
func (d pkiDir) keypair(ctx context.Context, name string) (pair, error) {
	cert, key, err := d.find(ctx, name)
	if err != nil {
		return pair{}, err
	}
	return d.writePair(name, cert, key, nil)
}

// privateKey writes a keyset's key alone.
func (d pkiDir) privateKey(ctx context.Context, name string) (string, error) {
	_, key, err := d.find(ctx, name)
	if err != nil {
		return "", err
	}
	data, err := key.AsBytes()
	if err != nil {
		return "", err
	}
	return d.path(name + ".key"), d.write(name+".key", data)
}

func (d pkiDir) find(ctx context.Context, name string) (*pki.Certificate, *pki.PrivateKey, error) {
	cert, key, err := d.FindPrimaryKeypair(ctx, name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the keyset %s: %w", name, err)
	}
	if cert == nil || key == nil {
		return nil, nil, fmt.Errorf("the keyset %s has no usable keypair", name)
	}
	return cert, key, nil
}

// FindPrimaryKeypair makes pkiDir what kops' pki package signs from.
func (d pkiDir) FindPrimaryKeypair(ctx context.Context, name string) (*pki.Certificate, *pki.PrivateKey, error) {
	keyset, err := d.reader.FindKeyset(ctx, name)
	if err != nil || keyset == nil {
		return nil, nil, err
	}
	item := keyset.Primary
	if id, ok := d.ids[name]; ok {
		if item = keyset.Items[id]; item == nil {
			return nil, nil, fmt.Errorf("keypair %s is no longer in the keyset %s", id, name)
		}
	}
	if item == nil {
		return nil, nil, nil
	}
	return item.Certificate, item.PrivateKey, nil
}

func (d pkiDir) writePair(name string, cert *pki.Certificate, key *pki.PrivateKey, ca *pki.Certificate) (pair, error) {
	var text bytes.Buffer
	for _, c := range []*pki.Certificate{cert, ca} {
		if c == nil {
			continue
		}
		if _, err := c.WriteTo(&text); err != nil {
			return pair{}, err
		}
	}
	keyText, err := key.AsBytes()
	if err != nil {
		return pair{}, err
	}
	if err := d.write(name+".crt", text.Bytes()); err != nil {
		return pair{}, err
	}
	return pair{cert: d.path(name + ".crt"), key: d.path(name + ".key")}, d.write(name+".key", keyText)
}

func (d pkiDir) path(file string) string { return filepath.Join(d.dir, file) }

func (d pkiDir) write(file string, data []byte) error {
	return os.WriteFile(d.path(file), data, 0o600)
}
