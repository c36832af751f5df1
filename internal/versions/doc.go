// Package versions is the version matrix, which component has which version in
// which cluster, and the rules that it keeps: pure functions over data.
package versions
