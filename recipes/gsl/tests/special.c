/* J0(5) = -0.17759 67713 14338 (Abramowitz and Stegun, table 9.1); the integral of exp(-x^2) over all x is sqrt(pi). */
#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>

static double gauss(double x, void *unused) {
  (void)unused;
  return exp(-x * x);
}

int main(void) {
  double result, error;
  gsl_function function = {gauss, 0};
  gsl_integration_workspace *space = gsl_integration_workspace_alloc(1000);
  gsl_integration_qagi(&function, 0, 1e-10, 1000, space, &result, &error);
  gsl_integration_workspace_free(space);
  if (fabs(gsl_sf_bessel_J0(5.0) + 0.177596771314338) > 1e-14) return 1;
  return fabs(result - sqrt(M_PI)) < 1e-9 ? 0 : 2;
}
