/* pow is called by description, and a closure gets the arguments that its caller passed. */
#include <ffi.h>
#include <math.h>
#include <stdio.h>

static void add(ffi_cif *cif, void *result, void **arguments, void *extra)
{
    (void)cif;
    *(ffi_sarg *)result = *(int *)arguments[0] + *(int *)arguments[1] + *(int *)extra;
}

int main(void)
{
    ffi_cif cif;
    ffi_type *types[] = {&ffi_type_double, &ffi_type_double};
    double base = 2.0, exponent = 0.5, root = 0.0;
    void *values[] = {&base, &exponent};
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 2, &ffi_type_double, types) != FFI_OK)
        return 1;
    ffi_call(&cif, FFI_FN(pow), &root, values);
    if (root != sqrt(2.0)) {
        fprintf(stderr, "pow(2, 0.5) = %.17g\n", root);
        return 1;
    }

    ffi_cif closure_cif;
    ffi_type *integers[] = {&ffi_type_sint, &ffi_type_sint};
    int extra = 100;
    void *code;
    ffi_closure *closure = ffi_closure_alloc(sizeof *closure, &code);
    if (!closure || ffi_prep_cif(&closure_cif, FFI_DEFAULT_ABI, 2, &ffi_type_sint, integers) != FFI_OK ||
        ffi_prep_closure_loc(closure, &closure_cif, add, &extra, code) != FFI_OK)
        return 1;
    int sum = ((int (*)(int, int))code)(20, 3);
    ffi_closure_free(closure);
    if (sum != 123) {
        fprintf(stderr, "the closure returned %d\n", sum);
        return 1;
    }
    return 0;
}
