package pods

import "fmt"

// Element is the path of a list's element, spelled as in plan.Field: by name
// where all elements have different names, else by index.
func Element[T any](path string, i int, list []T, name func(T) string) string {
	seen := map[string]bool{}
	for _, item := range list {
		n := name(item)
		if n == "" || seen[n] {
			return fmt.Sprintf("%s[%d]", path, i)
		}
		seen[n] = true
	}
	return fmt.Sprintf("%s[name=%q]", path, name(list[i]))
}
