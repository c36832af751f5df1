package versions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// File is the matrix' place in the repository.
const File = "clusters/versions.json"

// Matrix says which version of a component each cluster has.
type Matrix struct {
	// Components are in the order of the file.
	Components []Component
}

// Component is one row of the matrix.
type Component struct {
	Name string
	// Line is where the file names it, from 1.
	Line int
	// Cells are in the order of the file.
	Cells []Cell
}

// Cell is one cluster's version of a component.
type Cell struct {
	Cluster string
	Version string
	Line    int
}

// Cell finds a cluster's version.
func (c Component) Cell(cluster string) (Cell, bool) {
	i := slices.IndexFunc(c.Cells, func(cell Cell) bool { return cell.Cluster == cluster })
	if i < 0 {
		return Cell{}, false
	}
	return c.Cells[i], true
}

// Component finds a row.
func (m *Matrix) Component(name string) (Component, bool) {
	i := slices.IndexFunc(m.Components, func(c Component) bool { return c.Name == name })
	if i < 0 {
		return Component{}, false
	}
	return m.Components[i], true
}

// Version gives a cluster's version of a component; empty if there is none.
func (m *Matrix) Version(component, cluster string) string {
	c, _ := m.Component(component)
	cell, _ := c.Cell(cluster)
	return cell.Version
}

// SyntaxError is what is wrong with a matrix' text, and in which line.
type SyntaxError struct {
	Line    int
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", File, e.Line, e.Message) }

// Parse reads a matrix: {component: {cluster: version}}. The error is a
// SyntaxError. encoding/json would take a name that is there twice.
func Parse(data []byte) (*Matrix, error) {
	p := parser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	m := &Matrix{}
	err := p.object("the matrix", func(name string) error {
		if _, twice := m.Component(name); twice {
			return p.fail("component %q is there twice", name)
		}
		c := Component{Name: name, Line: p.line()}
		err := p.object(fmt.Sprintf("component %q", name), func(cluster string) error {
			if _, twice := c.Cell(cluster); twice {
				return p.fail("component %q names cluster %q twice", name, cluster)
			}
			token, err := p.token()
			if err != nil {
				return err
			}
			version, ok := token.(string)
			if !ok {
				return p.fail("the version of %q in %q must be a string", name, cluster)
			}
			c.Cells = append(c.Cells, Cell{Cluster: cluster, Version: version, Line: p.line()})
			return nil
		})
		m.Components = append(m.Components, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.Token(); err != io.EOF {
		return nil, p.fail("something follows the end of the matrix")
	}
	return m, nil
}

type parser struct {
	data    []byte
	decoder *json.Decoder
}

// line is that of the token that was read last.
func (p *parser) line() int {
	return 1 + bytes.Count(p.data[:min(int(p.decoder.InputOffset()), len(p.data))], []byte("\n"))
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{Line: p.line(), Message: fmt.Sprintf(format, args...)}
}

func (p *parser) token() (json.Token, error) {
	token, err := p.decoder.Token()
	if err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, p.fail("it ends too early")
		}
		return nil, p.fail("%v", err)
	}
	return token, nil
}

// object reads an object and calls field after each name.
func (p *parser) object(what string, field func(name string) error) error {
	token, err := p.token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return p.fail("%s must be an object", what)
	}
	for p.decoder.More() {
		token, err := p.token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return p.fail("%s: want a name, got %v", what, token)
		}
		if err := field(name); err != nil {
			return err
		}
	}
	_, err = p.token()
	return err
}
