// Package spelling guesses what a misspelt name was meant to be.
package spelling

import (
	"slices"
	"strings"
)

// Closest is the candidate that a misspelt name was probably meant to be; empty if
// none comes close. Capitals don't count.
func Closest(name string, candidates []string) string {
	best, limit := "", 1+max(1, len(name)/3)
	candidates = slices.Clone(candidates)
	slices.Sort(candidates)
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < limit {
			best, limit = candidate, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbours to make one word of another.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(replaced, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
