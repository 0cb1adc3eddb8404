// The derivatives of a reprojection error by hand, the peer of bundle_adjustment.py: for every observation the error's two rows
// of fifteen (camera 11, point 3, weight 1) and the derivative of the weight's error. The adjoints of both results go backwards
// through the steps together. An argument's observations follow each other, as the results' do.
#include <cmath>
#include <cstddef>

namespace {

constexpr int CAMERA = 11, INPUTS = 15;

inline void cross(const double *a, const double *b, double *result) {
    result[0] = a[1] * b[2] - a[2] * b[1];
    result[1] = a[2] * b[0] - a[0] * b[2];
    result[2] = a[0] * b[1] - a[1] * b[0];
}

inline double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

inline void observation(const double *camera, const double *point, double weight, const double *feature, double *rows) {
    const double *rotation = camera, *center = camera + 3, *offset = camera + 7, *radial = camera + 9;
    const double focal = camera[6];
    const double x[3] = {point[0] - center[0], point[1] - center[1], point[2] - center[2]};

    // Rodrigues: y = x cos + (axis cross x) sin + axis (axis . x) (1 - cos)
    const double square = dot(rotation, rotation);
    double theta = 0.0, inverse = 0.0, sine = 0.0, cosine = 1.0, along = 0.0;
    double axis[3] = {0.0, 0.0, 0.0}, turned[3], y[3];
    if (square != 0.0) {
        theta = std::sqrt(square);
        inverse = 1.0 / theta;
        sine = std::sin(theta);
        cosine = std::cos(theta);
        for (int i = 0; i < 3; i++) axis[i] = rotation[i] * inverse;
        cross(axis, x, turned);
        along = dot(axis, x);
        for (int i = 0; i < 3; i++) y[i] = x[i] * cosine + turned[i] * sine + axis[i] * along * (1.0 - cosine);
    } else {
        cross(rotation, x, turned);
        for (int i = 0; i < 3; i++) y[i] = x[i] + turned[i];
    }

    const double depth = 1.0 / y[2], u[2] = {y[0] * depth, y[1] * depth};
    const double radius = u[0] * u[0] + u[1] * u[1];
    const double factor = 1.0 + (radial[0] + radial[1] * radius) * radius;
    const double slope = radial[0] + 2.0 * radial[1] * radius; // of the factor by the radius
    const double focused = weight * focal;

    for (int k = 0; k < 2; k++) {
        double *row = rows + k * INPUTS;
        const double bar = focused * u[k]; // of the factor
        double u_bar[2] = {2.0 * bar * slope * u[0], 2.0 * bar * slope * u[1]};
        u_bar[k] += focused * factor;
        const double y_bar[3] = {u_bar[0] * depth, u_bar[1] * depth, -(u_bar[0] * u[0] + u_bar[1] * u[1]) * depth};

        double x_bar[3];
        if (square != 0.0) {
            double over[3], lever[3];
            cross(y_bar, axis, over); // adjoint of axis cross x in x
            cross(x, y_bar, lever);   // and in the axis
            const double share = dot(y_bar, axis), rest = 1.0 - cosine;
            const double theta_bar =
                -sine * dot(y_bar, x) + cosine * dot(y_bar, turned) + sine * share * along;
            double axis_bar[3];
            for (int i = 0; i < 3; i++) {
                x_bar[i] = cosine * y_bar[i] + sine * over[i] + rest * share * axis[i];
                axis_bar[i] = sine * lever[i] + rest * (along * y_bar[i] + share * x[i]);
            }
            const double radial_bar = theta_bar - dot(axis_bar, axis) * inverse; // along the axis: the length of the rotation
            for (int i = 0; i < 3; i++) row[i] = axis_bar[i] * inverse + radial_bar * axis[i];
        } else {
            double over[3];
            cross(y_bar, rotation, over);
            cross(x, y_bar, row);
            for (int i = 0; i < 3; i++) x_bar[i] = y_bar[i] + over[i];
        }
        for (int i = 0; i < 3; i++) {
            row[3 + i] = -x_bar[i];
            row[CAMERA + i] = x_bar[i];
        }
        row[6] = weight * u[k] * factor;
        row[7] = k == 0 ? weight : 0.0;
        row[8] = k == 1 ? weight : 0.0;
        row[9] = bar * radius;
        row[10] = bar * radius * radius;
        row[14] = focal * u[k] * factor + offset[k] - feature[k];
    }
}

} // namespace

extern "C" void jacobians(std::size_t count, const double *cameras, const double *points, const double *weights,
                          const double *features, double *rows, double *weight_rows) {
    for (std::size_t i = 0; i < count; i++) {
        observation(cameras + i * CAMERA, points + i * 3, weights[i], features + i * 2, rows + i * 2 * INPUTS);
        weight_rows[i] = -2.0 * weights[i];
    }
}
