package ui

// Line is a line of a text that two versions have in common (' ') or that only
// one has ('-' the old, '+' the new).
type Line struct {
	Kind byte
	Text string
}

// LineDiff compares two values line by line, as plans show them, and gives the
// lines that differ with a little of what is round them.
func LineDiff(from, to any) []Line {
	diff := lineDiff(lines(from), lines(to))
	out := make([]Line, len(diff))
	for i, line := range diff {
		out[i] = Line{line.kind, line.text}
	}
	return out
}
