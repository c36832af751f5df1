package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"platform/internal/check/schema/openapi"
)

// enums are the values that fields may have, by the name of the Go function that
// defines the type and the path of the field in it. Kubernetes' API server serves
// them, but the OpenAPI documents in its repository leave them out; they are in
// the Go code that both are made from.
type enums map[string]map[string][]string

// readEnums finds them in Kubernetes' generated code.
func readEnums(path string) (enums, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	out := enums{}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(function.Name.Name, "schema_") {
			continue
		}
		found := map[string][]string{}
		if err := collectEnums(function.Body, "", found); err != nil {
			return nil, fmt.Errorf("%s: %w", function.Name.Name, err)
		}
		if len(found) > 0 {
			out[function.Name.Name] = found
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no enumerations", path)
	}
	return out, nil
}

// collectEnums walks composite literals; the path grows with every property's
// name, and with [] for a list's items and the values of a map.
func collectEnums(node ast.Node, path string, found map[string][]string) error {
	var failed error
	ast.Inspect(node, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok || failed != nil {
			return failed == nil
		}
		switch key := pair.Key.(type) {
		case *ast.BasicLit: // a property
			name, err := strconv.Unquote(key.Value)
			if err != nil {
				failed = err
				return false
			}
			failed = collectEnums(pair.Value, path+"."+name, found)
			return false
		case *ast.Ident:
			switch key.Name {
			case "Items", "AdditionalProperties":
				failed = collectEnums(pair.Value, path+"[]", found)
				return false
			case "Enum":
				found[path], failed = stringsOf(pair.Value)
				return false
			case "Extensions", "VendorExtensible":
				return false
			}
		}
		return true
	})
	return failed
}

func stringsOf(expr ast.Expr) ([]string, error) {
	list, ok := expr.(*ast.CompositeLit)
	if !ok {
		return nil, fmt.Errorf("an enumeration that is no list")
	}
	var out []string
	for _, element := range list.Elts {
		literal, ok := element.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return nil, fmt.Errorf("an enumeration of something else than strings")
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	slices.Sort(out)
	return out, nil
}

// function is the Go function that defines a type, named after the last four
// folders of its package: io.k8s.api.core.v1.Container, of k8s.io/api/core/v1, is
// schema_k8sio_api_core_v1_Container.
func function(definition string) string {
	rest, ok := strings.CutPrefix(definition, "io.k8s.")
	if !ok {
		return ""
	}
	parts := append([]string{"k8sio"}, strings.Split(strings.ReplaceAll(rest, "-", ""), ".")...)
	return "schema_" + strings.Join(parts[max(0, len(parts)-5):], "_")
}

// add writes a definition's enumerations into its schema.
func (e enums) add(name string, s *openapi.Schema) error {
	found := maps.Clone(e[function(name)])
	addEnums(s, "", found)
	if len(found) > 0 {
		return fmt.Errorf("%s has no field %s, which should have an enumeration", name, slices.Sorted(maps.Keys(found))[0])
	}
	return nil
}

func addEnums(s *openapi.Schema, path string, found map[string][]string) {
	if s == nil {
		return
	}
	if values, ok := found[path]; ok {
		s.Enum = values
		delete(found, path)
	}
	for name, p := range s.Properties {
		addEnums(p, path+"."+name, found)
	}
	addEnums(s.Items, path+"[]", found)
	addEnums(s.Additional, path+"[]", found)
}
