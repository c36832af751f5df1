package ports

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestPortsAreRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "ports.json")
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	chosen := map[string]int{}
	for _, name := range []string{"aws", "proxy", "dev.example.net/kube-apiserver"} {
		port, err := first.Port(name)
		if err != nil {
			t.Fatal(err)
		}
		for other, taken := range chosen {
			if taken == port {
				t.Errorf("%s and %s both have %d", name, other, port)
			}
		}
		chosen[name] = port
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range chosen {
		if got, err := again.Port(name); err != nil || got != want {
			t.Errorf("%s: %d, %v; it had %d", name, got, err, want)
		}
	}
	if err := again.Forget("aws"); err != nil {
		t.Fatal(err)
	}
	if _, ok := again.All()["aws"]; ok {
		t.Error("aws wasn't forgotten")
	}
}

func TestTakenPortIsNotChosen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ports.json")
	book, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	port, err := book.Port("a")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if Free(port) {
		t.Error("a port that is listened on counts as free")
	}
	if err := book.Forget("a"); err != nil {
		t.Fatal(err)
	}
	if got, err := book.Port("a"); err != nil || got == port {
		t.Errorf("got the taken port %d again, %v", got, err)
	}
}

func TestBrokenBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ports.json")
	book := &Book{path: path, used: map[string]int{"a": 1}}
	if err := book.save(); err != nil {
		t.Fatal(err)
	}
	book.path = filepath.Dir(path)
	if _, err := Open(book.path); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("reading a folder: %v", err)
	}
}
