package versions

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// Version is what can be compared of a version: its first three numbers.
// Vendors write them in many ways: v1.21.2, 9.5.5, 2.580.2-jdk21.
type Version struct {
	Major, Minor, Patch int
}

var versionPattern = regexp.MustCompile(`^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[-+.].*)?$`)

// ParseVersion reads a version; false if it has no numbers to compare.
func ParseVersion(text string) (Version, bool) {
	found := versionPattern.FindStringSubmatch(text)
	if found == nil {
		return Version{}, false
	}
	number := func(digits string) int {
		n, _ := strconv.Atoi(digits) // digits, and few of them
		return n
	}
	return Version{number(found[1]), number(found[2]), number(found[3])}, true
}

// Compare orders versions.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch))
}

// Release is the version without its patch: 1.36.
func (v Version) Release() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }
