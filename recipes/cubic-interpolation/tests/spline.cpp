// A spline through x^3 on 50 nodes gives x^3 between them, far closer than its spacing.
#include <CubicInterpolation/Axis.h>
#include <CubicInterpolation/CubicSplines.h>
#include <CubicInterpolation/Interpolant.h>

#include <cmath>
#include <memory>

int main() {
  using Spline = cubic_splines::CubicSplines<double>;
  auto definition = Spline::Definition();
  definition.f = [](double x) { return x * x * x; };
  definition.axis = std::make_unique<cubic_splines::LinAxis<double>>(1., 5., (size_t)50);
  auto spline = cubic_splines::Interpolant<Spline>(std::move(definition), "", "");
  for (double x : {1.234, 2.5, 4.321})
    if (std::abs(spline.evaluate(x) / (x * x * x) - 1) > 1e-3) return 1;
  return 0;
}
