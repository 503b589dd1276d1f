// The library comes with the compiler; a target needs a source file.
#include "CLibFuzzer.h"
