package render

import (
	"bytes"
	"os"
	"slices"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
)

// fastMaxStack leaves room, below the limit that jsonnet has, for the calls
// that an interpreted % makes and a native one doesn't: what jsonnet refuses
// for its depth must not pass here.
const fastMaxStack = 400

// evaluator evaluates files one after another on a virtual machine that keeps
// what they import, parsed and evaluated. Several work in parallel, on a tree
// that they share by their importer.
//
// Parsed files stay with their machine. go-jsonnet keeps them in a cache that
// isn't public; the one way around it, to hand them to every machine as
// external variables, would lose std.thisFile and, between files, the values of
// what they import, which is worth more. The queue sees to it that few files
// are parsed by two machines.
//
// It evaluates twice if need be: at first with rewritten programs and, should
// anything whatever go wrong, once more as plain jsonnet, whose result or error
// counts. So errors are jsonnet's own, down to the last frame of the stack.
type evaluator struct {
	o     Options
	im    *importer
	cache *cache

	vm    *jsonnet.VM
	trace *bytes.Buffer
	// rewritten are the imports of the files that vm has parsed, by name.
	rewritten map[string][]importNode
}

func newEvaluator(o Options, im *importer, c *cache) *evaluator {
	e := &evaluator{o: o, im: im, cache: c}
	e.reset()
	return e
}

// reset starts with a new machine, which has nothing of a failed evaluation in
// it.
func (e *evaluator) reset() {
	e.vm = e.machine()
	e.vm.MaxStack = fastMaxStack
	for _, function := range natives() {
		e.vm.NativeFunction(function)
	}
	e.vm.ExtNode(percentVar, percent)
	// Traces are held back: a program that fails is evaluated again, and would
	// trace twice.
	e.trace = &bytes.Buffer{}
	e.vm.SetTraceOut(e.trace)
	e.rewritten = map[string][]importNode{}
}

func (e *evaluator) machine() *jsonnet.VM {
	vm := jsonnet.MakeVM()
	vm.Importer(e.im)
	for key, value := range e.o.ExtVars {
		vm.ExtVar(key, value)
	}
	for key, value := range e.o.ExtCode {
		vm.ExtCode(key, value)
	}
	for key, value := range e.o.TLAVars {
		vm.TLAVar(key, value)
	}
	for key, value := range e.o.TLACode {
		vm.TLACode(key, value)
	}
	return vm
}

// evaluate gives a file's value as JSON, and its name in the cache if it is
// there.
func (e *evaluator) evaluate(source string) (text, result string, err error) {
	if text, result, ok := e.cache.get(e.o, e.im, source); ok {
		return text, result, nil
	}
	if text, err = e.fast(source); err != nil {
		e.reset()
		text, err = e.machine().EvaluateFile(source)
		if err != nil {
			return "", "", &Error{Source: source, Message: firstPlace(source, err)}
		}
		return text, "", nil
	}
	if e.trace.Len() > 0 {
		// Who traces wants to see it the next time, too: not cached.
		_, err := e.trace.WriteTo(os.Stderr)
		return text, "", err
	}
	return text, e.cache.put(e.o, e.im, source, e.lookups(source), text), nil
}

func (e *evaluator) fast(source string) (string, error) {
	node, name, err := e.vm.ImportAST("", source)
	if err != nil {
		return "", err
	}
	e.rewrite(name, node)
	return e.vm.Evaluate(node)
}

// rewrite rewrites a file and everything it imports, in place: the machine
// keeps parsed files, and evaluates these very nodes. What can't be found or
// parsed is left alone; it may never be evaluated.
func (e *evaluator) rewrite(name string, node ast.Node) {
	if _, done := e.rewritten[name]; done {
		return
	}
	var imports []importNode
	rewrite(node, &imports)
	e.rewritten[name] = imports
	for _, imported := range imports {
		if !imported.code {
			continue
		}
		if node, name, err := e.vm.ImportAST(name, imported.path); err == nil {
			e.rewrite(name, node)
		}
	}
}

// lookups are all paths that matter to what a file renders to: where its
// imports are and where they might be, and those of its imports, and of the
// code given on the command line. They are what the programs mention, of which
// evaluation may use less, and the list is the same whichever of the paths has
// a file.
func (e *evaluator) lookups(source string) []string {
	paths := map[string]bool{}
	visited := map[string]bool{}
	var visit func(name string)
	follow := func(from string, imports []importNode) {
		for _, imported := range imports {
			for _, candidate := range e.im.candidates(from, imported.path) {
				paths[candidate] = true
			}
			if _, name, err := e.im.Import(from, imported.path); err == nil && imported.code {
				visit(name)
			}
		}
	}
	visit = func(name string) {
		if !visited[name] {
			visited[name] = true
			follow(name, e.rewritten[name])
		}
	}
	follow("", []importNode{{path: source, code: true}})
	for _, variables := range []map[string]string{e.o.ExtCode, e.o.TLACode} {
		for name, code := range variables {
			// It has been parsed before, or there would be no result.
			if node, err := jsonnet.SnippetToAST(name, code); err == nil {
				var imports []importNode
				rewrite(node, &imports)
				for _, imported := range imports {
					if imported.code {
						if node, name, err := e.vm.ImportAST("", imported.path); err == nil {
							e.rewrite(name, node)
						}
					}
				}
				follow("", imports)
			}
		}
	}
	out := make([]string, 0, len(paths))
	for path := range paths {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}
