package render

import (
	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"
)

// percentVar is the external variable that holds the function behind %. No
// program can mean it by accident: the name isn't an identifier.
const percentVar = "platform: %"

// percentSource is what % does in a rewritten program: std.mod, but with the
// native format in front. It asks an object only for the fields that the format
// takes, as the interpreted format does.
const percentSource = `
local format = std.native('format'), formatKeys = std.native('formatKeys');
function(a, b)
  if std.type(a) == 'string' then
    local kind = std.type(b);
    local keys = formatKeys(a);
    local text =
      if kind == 'array' then format(a, b)
      else if kind != 'object' then format(a, [b])
      else if keys == null then null
      else format(a, [b[key] for key in keys]);
    if text == null then std.mod(a, b) else text
  else std.mod(a, b)
`

// percent is parsed once; evaluation only reads a tree.
var percent = func() ast.Node {
	node, err := jsonnet.SnippetToAST("<"+percentVar+">", percentSource)
	if err != nil {
		panic(err)
	}
	return node
}()

func natives() []*jsonnet.NativeFunction {
	return []*jsonnet.NativeFunction{
		{Name: "format", Params: ast.Identifiers{"format", "values"}, Func: format},
		{Name: "formatKeys", Params: ast.Identifiers{"format"}, Func: formatKeys},
	}
}

// rewrite makes every % of a parsed file call percent, and lists the file's
// imports. The parser has made std.mod(a, b) of a % b, by a name for std that
// a program can't rebind ($std); the call stays, and calls another function.
func rewrite(node ast.Node, imports *[]importNode) {
	switch n := node.(type) {
	case *ast.Apply:
		if isStd(n.Target, "mod") {
			n.Target = percentCall(n)
		}
	case *ast.Import:
		*imports = append(*imports, importNode{path: n.File.Value, code: true})
	case *ast.ImportStr:
		*imports = append(*imports, importNode{path: n.File.Value})
	case *ast.ImportBin:
		*imports = append(*imports, importNode{path: n.File.Value})
	}
	for _, child := range toolutils.Children(node) {
		rewrite(child, imports)
	}
}

// importNode is one import, importstr or importbin.
type importNode struct {
	path string
	code bool
}

func isStd(target ast.Node, name string) bool {
	index, ok := target.(*ast.Index)
	if !ok {
		return false
	}
	std, isVar := index.Target.(*ast.Var)
	field, isString := index.Index.(*ast.LiteralString)
	return isVar && isString && std.Id == "$std" && field.Value == name
}

// percentCall is $std.extVar(percentVar), with the free variables that the
// analysis of a parsed file would have found.
func percentCall(at *ast.Apply) ast.Node {
	base := func() ast.NodeBase { return ast.NodeBase{LocRange: at.LocRange, Ctx: at.Ctx} }
	std := &ast.Var{NodeBase: base(), Id: "$std"}
	extVar := &ast.Index{NodeBase: base(), Target: std, Index: &ast.LiteralString{NodeBase: base(), Value: "extVar", Kind: ast.StringDouble}}
	call := &ast.Apply{NodeBase: base(), Target: extVar, Arguments: ast.Arguments{
		Positional: []ast.CommaSeparatedExpr{{Expr: &ast.LiteralString{NodeBase: base(), Value: percentVar, Kind: ast.StringDouble}}},
	}}
	for _, node := range []ast.Node{std, extVar, call} {
		node.SetFreeVariables(ast.Identifiers{"$std"})
	}
	return call
}
