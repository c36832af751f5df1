package check

import (
	"path/filepath"
	"strings"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"

	"platform/internal/plan"
	"platform/internal/render"
)

// locator finds the line of jsonnet that a value comes from. Jsonnet keeps no
// such record, so this reads programs as a person would: from the key in the
// cluster's file into the stack that it calls, from there into the library, and
// stops at the last name that it finds. It evaluates nothing: a name that is
// computed ends the search at the line above it.
type locator struct {
	root     string
	importer *render.Importer
	vm       *jsonnet.VM
	files    map[string]*scope // nil for one that can't be parsed
	known    map[[3]string]place
}

type place struct {
	file string
	line int
}

// scope is an expression with the names that it can see.
type scope struct {
	node ast.Node
	env  *names
	file string
}

// names are local variables, the innermost first.
type names struct {
	name  ast.Identifier
	value *scope // its env is filled in later: locals see each other
	outer *names
}

func (n *names) lookup(name ast.Identifier) *scope {
	for ; n != nil; n = n.outer {
		if n.name == name {
			return n.value
		}
	}
	return nil
}

func newLocator(root string, jpath []string) *locator {
	l := &locator{root: root, files: map[string]*scope{}, known: map[[3]string]place{}}
	importer, err := render.NewImporter(root, jpath)
	if err != nil {
		return l // every finding then is in its file's first line
	}
	l.importer = importer
	l.vm = jsonnet.MakeVM()
	l.vm.Importer(importer)
	return l
}

// place gives the file and line that declare a field of the object at a key of
// a source file.
func (l *locator) place(source, key, path string) (file string, line int) {
	id := [3]string{source, key, path}
	if p, ok := l.known[id]; ok {
		return p.file, p.line
	}
	p := place{source, 1}
	if start := l.open("", source); start != nil {
		var keys []string
		if key != "" {
			keys = strings.Split(key, ".")
		}
		l.follow([]scope{*start}, keys, plan.SplitPath(path), &p)
	}
	l.known[id] = p
	return p.file, p.line
}

// open gives a file's program.
func (l *locator) open(from, path string) *scope {
	if l.importer == nil {
		return nil
	}
	node, name, err := l.vm.ImportAST(from, path)
	if err != nil {
		return nil
	}
	if s, done := l.files[name]; done {
		return s
	}
	l.files[name] = &scope{node: node, file: name}
	return l.files[name]
}

// library is the folder of what knows nothing of any stack.
var library = []string{"lib"}

// follow goes from field to field and keeps the place of the last one found.
func (l *locator) follow(at []scope, keys, path []string, p *place) {
	names := append(append([]string(nil), keys...), path...)
	moved := false
	for i := 0; i < len(names); i++ {
		name := names[i]
		var found []field
		if element, ok := elementName(name); ok {
			// A list of named things is often written as a map of them,
			// whose field the name before this one was: see kube.libsonnet.
			if element == "" {
				continue // by index: any of the elements
			}
			found = l.fields(at, element)
			if len(found) == 0 {
				continue
			}
		} else {
			// The twin comes first: the list itself is made from it.
			found = append(l.fields(at, name+"_"), l.fields(at, name)...)
		}
		if len(found) == 0 {
			return
		}
		at = at[:0:0]
		for i, f := range found {
			at = append(at, f.body)
			// What calls the library is what people change, not the library.
			here := f.place(l.importer)
			if i == 0 && (!inside(here.file, library) || inside(p.file, library) || !moved) {
				*p, moved = here, true
			}
		}
	}
}

// elementName tells whether part of a path is a list's element: [name="x"] or
// [0], and gives the name if it has one.
func elementName(part string) (string, bool) {
	inner, ok := strings.CutPrefix(part, "[")
	if !ok {
		return "", false
	}
	inner = strings.TrimSuffix(inner, "]")
	_, quoted, named := strings.Cut(inner, "=")
	if !named {
		return "", true
	}
	return strings.Trim(quoted, `"`), true
}

// field is one definition of a field.
type field struct {
	name ast.Node
	at   *ast.LocationRange
	body scope
}

func (f field) place(im *render.Importer) place {
	loc := f.name.Loc()
	if loc == nil || loc.Begin.Line == 0 {
		loc = f.at
	}
	return place{im.Relative(f.body.file), loc.Begin.Line}
}

// Bounds of a search: programs can be recursive.
const (
	maxVisits = 20000
	maxDepth  = 60
)

// fields are the definitions of a name in some expressions: those written
// nearest first, the overriding before the overridden.
func (l *locator) fields(at []scope, name string) []field {
	s := search{l: l, name: name, active: map[ast.Node]bool{}}
	for _, from := range at {
		s.visit(from, 0)
	}
	return s.found
}

type search struct {
	l      *locator
	name   string
	found  []field
	visits int
	active map[ast.Node]bool
}

func (s *search) visit(at scope, depth int) {
	s.visits++
	if at.node == nil || depth > maxDepth || s.visits > maxVisits || s.active[at.node] {
		return
	}
	s.active[at.node] = true
	defer delete(s.active, at.node)
	in := func(node ast.Node) { s.visit(scope{node, at.env, at.file}, depth+1) }

	switch n := at.node.(type) {
	case *ast.DesugaredObject:
		s.object(n, at)
	case *ast.Local:
		s.visit(scope{n.Body, bind(n.Binds, at), at.file}, depth+1)
	case *ast.Binary:
		in(n.Right)
		in(n.Left)
	case *ast.Conditional:
		in(n.BranchTrue)
		in(n.BranchFalse)
	case *ast.Function:
		in(n.Body)
	case *ast.Import:
		if file := s.l.open(at.file, n.File.Value); file != nil {
			s.visit(*file, depth+1)
		}
	case *ast.Var:
		if value := at.env.lookup(n.Id); value != nil {
			s.visit(*value, depth+1)
		}
	case *ast.Index:
		s.index(n, at, depth)
	case *ast.Apply:
		in(n.Target)
		// What is given to a function may become part of its value; what the
		// function itself says comes first.
		for _, argument := range n.Arguments.Positional {
			in(argument.Expr)
		}
		for _, argument := range n.Arguments.Named {
			in(argument.Arg)
		}
	case *ast.Array:
		for _, element := range n.Elements {
			in(element.Expr)
		}
	default:
		for _, child := range toolutils.Children(at.node) {
			in(child)
		}
	}
}

// object looks among an object's own fields.
func (s *search) object(n *ast.DesugaredObject, at scope) {
	env := bind(n.Locals, at)
	for _, f := range n.Fields {
		if text, ok := f.Name.(*ast.LiteralString); ok && text.Value == s.name {
			loc := f.LocRange
			s.found = append(s.found, field{name: f.Name, at: &loc, body: scope{f.Body, env, at.file}})
		}
	}
}

// index follows library.Function and the like; self, $ and parameters lead
// nowhere.
func (s *search) index(n *ast.Index, at scope, depth int) {
	name, ok := n.Index.(*ast.LiteralString)
	if !ok {
		return
	}
	inner := search{l: s.l, name: name.Value, visits: s.visits, active: s.active}
	inner.visit(scope{n.Target, at.env, at.file}, depth+1)
	s.visits = inner.visits
	for _, f := range inner.found {
		s.visit(f.body, depth+1)
	}
}

// bind adds local variables to what an expression sees.
func bind(binds ast.LocalBinds, at scope) *names {
	env := at.env
	added := make([]*scope, 0, len(binds))
	for _, b := range binds {
		value := &scope{node: b.Body, file: at.file}
		added = append(added, value)
		env = &names{name: b.Variable, value: value, outer: env}
	}
	for _, value := range added {
		value.env = env
	}
	return env
}

// inside tells whether a file is one of paths or below one.
func inside(file string, paths []string) bool {
	for _, path := range paths {
		if path == "." || file == path || strings.HasPrefix(file, path+string(filepath.Separator)) {
			return true
		}
	}
	return false
}
