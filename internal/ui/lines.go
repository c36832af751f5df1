package ui

// diffLine is a line of a text that two versions have in common (' ') or that
// only one has ('-' the old, '+' the new).
type diffLine struct {
	kind byte
	text string
}

// contextLines is how many common lines are shown round a difference.
const contextLines = 2

// lineDiff compares two texts by their longest common subsequence of lines
// and keeps what differs, with a little context.
func lineDiff(from, to []string) []diffLine {
	// Common ends need no table.
	start := 0
	for start < len(from) && start < len(to) && from[start] == to[start] {
		start++
	}
	fromEnd, toEnd := len(from), len(to)
	for fromEnd > start && toEnd > start && from[fromEnd-1] == to[toEnd-1] {
		fromEnd--
		toEnd--
	}
	var all []diffLine
	for _, text := range from[:start] {
		all = append(all, diffLine{' ', text})
	}
	all = append(all, middle(from[start:fromEnd], to[start:toEnd])...)
	for _, text := range from[fromEnd:] {
		all = append(all, diffLine{' ', text})
	}
	return trimContext(all)
}

func middle(from, to []string) []diffLine {
	// lengths[i][j] is the longest common subsequence of from[i:] and to[j:].
	lengths := make([][]int, len(from)+1)
	for i := range lengths {
		lengths[i] = make([]int, len(to)+1)
	}
	for i := len(from) - 1; i >= 0; i-- {
		for j := len(to) - 1; j >= 0; j-- {
			if from[i] == to[j] {
				lengths[i][j] = lengths[i+1][j+1] + 1
			} else {
				lengths[i][j] = max(lengths[i+1][j], lengths[i][j+1])
			}
		}
	}
	var out []diffLine
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		switch {
		case i < len(from) && j < len(to) && from[i] == to[j]:
			out = append(out, diffLine{' ', from[i]})
			i++
			j++
		case i < len(from) && (j == len(to) || lengths[i+1][j] >= lengths[i][j+1]):
			out = append(out, diffLine{'-', from[i]})
			i++
		default:
			out = append(out, diffLine{'+', to[j]})
			j++
		}
	}
	return out
}

func trimContext(all []diffLine) []diffLine {
	keep := make([]bool, len(all))
	for i, line := range all {
		if line.kind == ' ' {
			continue
		}
		for k := max(0, i-contextLines); k <= min(len(all)-1, i+contextLines); k++ {
			keep[k] = true
		}
	}
	var out []diffLine
	for i, line := range all {
		if keep[i] {
			out = append(out, line)
		} else if i > 0 && keep[i-1] {
			out = append(out, diffLine{' ', "…"})
		}
	}
	return out
}
