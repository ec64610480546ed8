// A box of half lengths 1, 2, 3 holds 48, is left along x from its centre after 1 and met from x = -10 after 9.
#include <VecGeom/volumes/Box.h>

int main() {
  vecgeom::SimpleBox box("box", 1, 2, 3);
  using Vector = vecgeom::Vector3D<vecgeom::Precision>;
  if (box.Capacity() != 48) return 1;
  if (box.DistanceToOut(Vector(0, 0, 0), Vector(1, 0, 0)) != 1) return 2;
  return box.DistanceToIn(Vector(-10, 0, 0), Vector(1, 0, 0)) == 9 ? 0 : 3;
}
