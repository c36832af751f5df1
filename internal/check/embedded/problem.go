package embedded

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// problem is what is wrong with a text, at a line of it; 0 is unknown.
type problem struct {
	line    int
	message string
}

// atLine puts a line in front of a message.
func atLine(line int, message string) string {
	if line == 0 {
		return message
	}
	return fmt.Sprintf("line %d: %s", line, message)
}

var (
	yamlLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
	goType       = regexp.MustCompile(` into (?:struct|map|\[\]|\w+\.)\S*(?: \{\})?`)
)

// problems takes an error of a YAML parser apart: it may be several, and has the
// lines in its text.
func problems(err error) []problem {
	var out []problem
	for _, line := range strings.Split(err.Error(), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "yaml: unmarshal errors:")
		if line == "" {
			continue
		}
		p := problem{message: strings.TrimPrefix(line, "yaml: ")}
		if m := yamlLine.FindStringSubmatch(line); m != nil {
			p.line, _ = strconv.Atoi(m[1])
			p.message = m[2]
		}
		p.message = unknownField.ReplaceAllString(p.message, "there is no field $1 here")
		p.message = goType.ReplaceAllString(p.message, "")
		out = append(out, p)
	}
	return out
}

// guarded makes an error of a panic: on some texts, such as a null in a list, the
// programs themselves would end.
func guarded(load func() error) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("the program would crash: %v", e)
		}
	}()
	return load()
}

// loadProblems loads a YAML text and gives what is wrong with it, each with its
// line: where the error doesn't say it, locate finds it out.
func loadProblems(content string, load func(string) error) []problem {
	err := load(content)
	if err == nil {
		return nil
	}
	found := problems(err)
	for i := range found {
		if found[i].line == 0 && len(found) == 1 {
			found[i].line = locate(content, load, err)
		}
	}
	return found
}

// locate finds the line that an error is about which says none: that of the
// innermost part of the text without which the error would be another, or none.
func locate(content string, load func(string) error, err error) int {
	var document yaml.Node
	if yaml.Unmarshal([]byte(content), &document) != nil || len(document.Content) == 0 {
		return 0
	}
	node := document.Content[0]
	line := node.Line
	for {
		next, at := culprit(&document, node, load, err.Error())
		if next == nil {
			return line
		}
		node, line = next, at
	}
}

// culprit is the part of a node without which the text loads, or at least fails
// for another reason. The last one is taken: what repeats or refers to something
// mostly comes after it.
func culprit(document, node *yaml.Node, load func(string) error, message string) (part *yaml.Node, line int) {
	step := 1
	switch node.Kind {
	case yaml.MappingNode:
		step = 2
	case yaml.SequenceNode:
	default:
		return nil, 0
	}
	whole := node.Content
	defer func() { node.Content = whole }()
	for i := len(whole) - step; i >= 0; i -= step {
		node.Content = append(append([]*yaml.Node{}, whole[:i]...), whole[i+step:]...)
		without, err := yaml.Marshal(document)
		if err != nil {
			return nil, 0
		}
		err = load(string(without))
		if err == nil {
			return whole[i+step-1], whole[i].Line
		}
		if err.Error() != message && part == nil {
			part, line = whole[i+step-1], whole[i].Line
		}
	}
	return part, line
}

// walk calls a function for each pair of a map in a YAML tree, with the path of
// keys to it.
func walk(node *yaml.Node, path []string, f func(path []string, key, value *yaml.Node)) {
	switch node.Kind {
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, part := range node.Content {
			walk(part, path, f)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			f(path, key, value)
			walk(value, append(path[:len(path):len(path)], key.Value), f)
		}
	}
}

// parseYAML gives the tree of a text; one that isn't YAML has none.
func parseYAML(content string) *yaml.Node {
	var document yaml.Node
	if yaml.Unmarshal([]byte(content), &document) != nil {
		return &yaml.Node{}
	}
	return &document
}

// field is the value of a key of a map, and the key.
func field(node *yaml.Node, name string) (key, value *yaml.Node) {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}
