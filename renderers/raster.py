"""The rasterizer: numba kernels that turn one projected mesh into pixels.

Conventions
-----------
Screen positions are snapped to 1/256 pixel, x to the right, y down, pixel centres at half-integers, and held
as float32 whole numbers. Coverage is decided by edge functions evaluated exactly (float64 whole numbers below
2**53, or float32 below 2**24), with the top-left fill rule: a pixel on an edge that two triangles share belongs
to exactly one of them.

Depth and color of a pixel live in one integer, ``depth << 8 | gray`` (or ``depth << 24 | rgb``), and drawing is
taking the maximum; so the picture doesn't depend on the order of the triangles. Depth is 23 (31) bits, larger
is nearer; 0 is the background.

Attributes are interpolated perspective-correctly. Every operation is float32 or float64 in a fixed order; the
kernels are compiled without fast-math and LLVM doesn't contract products and sums of its own accord: the same
bytes on every machine.
"""

# The kernels are typed by numba at compile time; what numpy's stubs say of shifts and scalars differs by version.
# mypy: disable-error-code="operator,assignment"

from __future__ import annotations

import numpy as np

from mtbench.renderers.shading import light_triangles, light_vertices
from mtbench.work import njit_cached

#: Rows of a table of projected vertices: x, y (1/256 pixel), depth, 1/w, then gray or r, g, b (0.5 .. 255.5).
ROWS = 7

_SUBPIXEL = np.float32(256.0)
_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_WHITE = np.float32(255.0)
_THIRD = np.float32(1.0 / 3.0)
_NAN = np.float32(np.nan)
#: Depth steps; the largest float32 that keeps ``depth << 8`` below 2**31 after rounding.
_DEPTH = np.float32(2**23 - 2)
#: Screen positions beyond this many 1/256 pixels (16,384 pixels) are not drawn.
_FAR_OFF = np.float32(2**22)
#: Widest and highest box (pixels) for which float32 edge functions are exact: 2 * 256 * 176**2 < 2**24.
_BLOCK_LIMIT = 176
#: Lanes are filled in groups of this many, so that compiled loops need no remainder.
_LANES = 8
#: Larger than any depth and color.
_NEAREST = np.int32(2**31 - 1)
#: Up to this many pixels it pays to look for hidden triangles before drawing them.
_WINDOW_LIMIT = 2**18
#: As `back` of :func:`raster_gray`: leave out what is seen from behind.
_CULL = np.float32(-1.0)
#: Length of the ramp 0, 1, 2, … that :func:`draw_gray` wants.
RAMP_LENGTH = _BLOCK_LIMIT + _LANES


@njit_cached(nogil=True, error_model="numpy")
def _level(value):
    """Return 0.5..255.5 for *value* 0..1, cut at 1: what is truncated to a pixel."""
    value = value * _WHITE
    return (value if value < _WHITE else _WHITE) + _HALF


@njit_cached(nogil=True, error_model="numpy")
def project(vertices, matrix, width, height, p):
    """Fill the first four rows of *p* (ROWS, n); NaN where a vertex isn't between near and far plane.

    The loops are kept apart because only then does the compiler use vector instructions for the last two.
    """
    n = vertices.shape[0]
    xs, ys, zs, ws = p[0], p[1], p[2], p[3]
    for v in range(n):
        xs[v] = vertices[v, 0]
        ys[v] = vertices[v, 1]
        zs[v] = vertices[v, 2]
    m00, m01, m02, m03 = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3]
    m10, m11, m12, m13 = matrix[1, 0], matrix[1, 1], matrix[1, 2], matrix[1, 3]
    m20, m21, m22, m23 = matrix[2, 0], matrix[2, 1], matrix[2, 2], matrix[2, 3]
    m30, m31, m32, m33 = matrix[3, 0], matrix[3, 1], matrix[3, 2], matrix[3, 3]
    for v in range(n):
        x, y, z = xs[v], ys[v], zs[v]
        xs[v] = m00 * x + m01 * y + m02 * z + m03
        ys[v] = m10 * x + m11 * y + m12 * z + m13
        zs[v] = m20 * x + m21 * y + m22 * z + m23
        ws[v] = m30 * x + m31 * y + m32 * z + m33
    half_width = np.float32(width) * _HALF * _SUBPIXEL
    half_height = np.float32(height) * _HALF * _SUBPIXEL
    for v in range(n):
        inverse = _ONE / ws[v]
        x = np.floor(half_width + xs[v] * inverse * half_width + _HALF)
        y = np.floor(half_height - ys[v] * inverse * half_height + _HALF)
        depth = (_ONE - zs[v] * inverse) * _HALF
        seen = (inverse > _ZERO) & (depth >= _ZERO) & (depth <= _ONE)
        seen &= (x < _FAR_OFF) & (x > -_FAR_OFF) & (y < _FAR_OFF) & (y > -_FAR_OFF)
        xs[v] = x if seen else _NAN
        ys[v] = y
        zs[v] = depth * _DEPTH + _ONE
        ws[v] = inverse


@njit_cached(nogil=True, error_model="numpy")
def _fill_gray(
    buffer,
    start,
    stride,
    rows,
    lanes,
    ramp,
    e0,
    a0,
    b0,
    e1,
    a1,
    b1,
    e2,
    a2,
    b2,
    z,
    zx,
    zy,
    w,
    wx,
    wy,
    c,
    n,
    nx,
    ny,
):
    """Fill one box, *lanes* wide; ``e, a, b`` are edge functions, ``z``, ``w``, ``n`` planes."""
    for row in range(rows):
        step = np.float32(row)
        r0 = e0 + b0 * step
        r1 = e1 + b1 * step
        r2 = e2 + b2 * step
        rz = z + zy * step
        rw = w + wy * step
        rn = n + ny * step
        base = start + row * stride
        for i in range(lanes):
            x = ramp[i]
            inside = (r0 + a0 * x >= _ZERO) & (r1 + a1 * x >= _ZERO) & (r2 + a2 * x >= _ZERO)
            depth = np.int32(rz + zx * x)
            gray = np.int32(c + (rn + nx * x) / (rw + wx * x))
            packed = np.int32((depth << 8) | gray)
            if not inside:
                packed = np.int32(0)
            j = np.uint64(base + i)
            old = buffer[j]
            buffer[j] = packed if packed > old else old


@njit_cached(nogil=True, error_model="numpy")
def _box(ax, ay, bx, by, cx, cy, width, height, backs):
    """Return (facing, x0, x1, y0, y1, area): the pixels a triangle may cover; facing 0 if it has none.

    Facing is 1 for counter-clockwise seen by the viewer, -1 for clockwise; area is twice the signed one.
    """
    low = ax if ax < bx else bx
    low = low if low < cx else cx
    high = ax if ax > bx else bx
    high = high if high > cx else cx
    area = np.float64(bx - ax) * np.float64(cy - ay) - np.float64(by - ay) * np.float64(cx - ax)
    facing = 0
    if area < 0.0:  # y is down here
        facing = 1
    elif area > 0.0 and backs:
        facing = -1
    if facing == 0:  # seen edge-on, culled, or not a number
        return 0, 0, 0, 0, 0, area
    x0 = (np.int64(low) + 127) >> 8
    x1 = (np.int64(high) - 128) >> 8
    x0 = x0 if x0 > 0 else np.int64(0)
    x1 = x1 if x1 < width - 1 else width - 1
    low = ay if ay < by else by
    low = low if low < cy else cy
    high = ay if ay > by else by
    high = high if high > cy else cy
    y0 = (np.int64(low) + 127) >> 8
    y1 = (np.int64(high) - 128) >> 8
    y0 = y0 if y0 > 0 else np.int64(0)
    y1 = y1 if y1 < height - 1 else height - 1
    if x0 > x1 or y0 > y1:
        facing = 0
    return facing, x0, x1, y0, y1, area


@njit_cached(nogil=True, error_model="numpy")
def _edge(ax, ay, bx, by, px, py):
    """Return (value at p, dx, dy, threshold) of the edge a-b: p is inside where value >= threshold."""
    dx = np.float64(bx - ax)
    dy = np.float64(by - ay)
    value = dx * (py - ay) - dy * (px - ax)
    return value, dx, dy, 0.0 if dy < 0.0 or (dy == 0.0 and dx > 0.0) else 1.0


@njit_cached(nogil=True, error_model="numpy")
def raster_gray(triangles, p, face_gray, flat, back, width, height, ramp, buffer):
    """Draw *triangles* of the projected vertices *p* into *buffer* (height * width + lanes,) int32.

    *back* is the gray (0.5..255.5) of triangles seen from behind, negative to cull them. Indices are uint32:
    compiled code needn't look for negative ones.
    """
    xs, ys, zs, ws, grays = p[0], p[1], p[2], p[3], p[4]
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, bx, cx = xs[a], xs[b], xs[c]
        ay, by, cy = ys[a], ys[b], ys[c]
        facing, x0, x1, y0, y1, area = _box(ax, ay, bx, by, cx, cy, width, height, back >= _ZERO)
        if facing == 0:
            continue
        if facing > 0:
            b, c = c, b
            bx, by, cx, cy = cx, cy, bx, by
            area = -area
        # Edge functions at the first pixel centre, and their steps per 1/256 pixel, all whole numbers.
        px = np.float64(x0 * 256 + 128)
        py = np.float64(y0 * 256 + 128)
        ea, bcx, bcy, ta = _edge(bx, by, cx, cy, px, py)
        eb, cax, cay, tb = _edge(cx, cy, ax, ay, px, py)
        ec, abx, aby, tc = _edge(ax, ay, bx, by, px, py)
        za, zb, zc = zs[a], zs[b], zs[c]
        wa, wb, wc = ws[a], ws[b], ws[c]
        if flat or facing < 0:
            ga = face_gray[f] if facing > 0 else back
            nb = nc = _ZERO
        else:
            ga = grays[a]
            nb = (grays[b] - ga) * wb
            nc = (grays[c] - ga) * wc
        inverse = 1.0 / area
        columns = x1 - x0 + 1
        rows = y1 - y0 + 1
        extent = columns if columns > rows else rows
        if columns * rows <= 8 or extent > _BLOCK_LIMIT or area < 4096.0 * np.float64(extent):
            # Few pixels, a needle, or a triangle too large for float32: one pixel at a time, exactly.
            for row in range(rows):
                r = np.float64(row) * 256.0
                qa = ea + bcx * r
                qb = eb + cax * r
                qc = ec + abx * r
                base = (y0 + row) * width + x0
                for i in range(columns):
                    if qa >= ta and qb >= tb and qc >= tc:
                        la = np.float32(qa * inverse)
                        lb = np.float32(qb * inverse)
                        lc = np.float32(qc * inverse)
                        depth = np.int32(la * za + lb * zb + lc * zc)
                        gray = np.int32(ga + (lb * nb + lc * nc) / (la * wa + lb * wb + lc * wc))
                        packed = np.int32((depth << 8) | gray)
                        j = np.uint64(base + i)
                        if packed > buffer[j]:
                            buffer[j] = packed
                    qa -= bcy * 256.0
                    qb -= cay * 256.0
                    qc -= aby * 256.0
        else:
            scale = 256.0 * inverse
            sbx, sby = -cay * scale, cax * scale
            scx, scy = -aby * scale, abx * scale
            lb = eb * inverse
            lc = ec * inverse
            dzb, dzc = np.float64(zb - za), np.float64(zc - za)
            dwb, dwc = np.float64(wb - wa), np.float64(wc - wa)
            _fill_gray(
                buffer,
                y0 * width + x0,
                width,
                rows,
                (columns + _LANES - 1) // _LANES * _LANES,
                ramp,
                np.float32(np.floor((ea - ta) * 0.00390625)),
                np.float32(-bcy),
                np.float32(bcx),
                np.float32(np.floor((eb - tb) * 0.00390625)),
                np.float32(-cay),
                np.float32(cax),
                np.float32(np.floor((ec - tc) * 0.00390625)),
                np.float32(-aby),
                np.float32(abx),
                np.float32(za + lb * dzb + lc * dzc),
                np.float32(sbx * dzb + scx * dzc),
                np.float32(sby * dzb + scy * dzc),
                np.float32(wa + lb * dwb + lc * dwc),
                np.float32(sbx * dwb + scx * dwc),
                np.float32(sby * dwb + scy * dwc),
                ga,
                np.float32(lb * nb + lc * nc),
                np.float32(sbx * nb + scx * nc),
                np.float32(sby * nb + scy * nc),
            )


@njit_cached(nogil=True, error_model="numpy")
def _window_minima(buffer, pixels, width, scratch, low):
    """Fill *low* with the smallest value of *buffer* in the 4x4 window that begins at each pixel.

    Windows that reach past the right edge go on in the next row: smaller values than asked for, never larger.
    """
    for i in range(pixels + 3 * width):
        a, b, c, d = buffer[i], buffer[i + 1], buffer[i + 2], buffer[i + 3]
        a = a if a < b else b
        c = c if c < d else d
        scratch[i] = a if a < c else c
    for i in range(pixels):
        a, b, c, d = scratch[i], scratch[i + width], scratch[i + 2 * width], scratch[i + 3 * width]
        a = a if a < b else b
        c = c if c < d else d
        low[i] = a if a < c else c


@njit_cached(nogil=True, error_model="numpy")
def _visible_backs(triangles, p, width, height, low, out):
    """Copy to *out* the triangles seen from behind that may show; return how many.

    What is drawn already hides a triangle where everything in its box is nearer than its nearest corner; on a
    closed head that spares nearly all of them. *low* is from :func:`_window_minima`.
    """
    xs, ys, zs = p[0], p[1], p[2]
    count = 0
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        facing, x0, x1, y0, y1, _ = _box(xs[a], ys[a], xs[b], ys[b], xs[c], ys[c], width, height, True)
        if facing >= 0:
            continue
        near = zs[a] if zs[a] > zs[b] else zs[b]
        near = near if near > zs[c] else zs[c]
        limit = ((np.int64(near) + 2) << 8) | 255
        last_x = x1 - 3 if x1 - 3 > x0 else x0
        last_y = y1 - 3 if y1 - 3 > y0 else y0
        lowest = low[np.uint64(y0 * width + x0)]
        if last_x > x0 or last_y > y0:
            for y in range(y0, last_y + 4, 4):
                for x in range(x0, last_x + 4, 4):
                    corner = (y if y < last_y else last_y) * width + (x if x < last_x else last_x)
                    value = low[np.uint64(corner)]
                    lowest = value if value < lowest else lowest
        out[count, 0] = a
        out[count, 1] = b
        out[count, 2] = c
        count += 1 if lowest <= limit else 0
    return count


@njit_cached(nogil=True, error_model="numpy")
def raster_color(triangles, p, face_color, flat, back, width, height, buffer):
    """Draw colored *triangles* into *buffer* (height * width,) int64, as :func:`raster_gray` does in gray."""
    xs, ys, zs, ws = p[0], p[1], p[2], p[3]
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, bx, cx = xs[a], xs[b], xs[c]
        ay, by, cy = ys[a], ys[b], ys[c]
        facing, x0, x1, y0, y1, area = _box(ax, ay, bx, by, cx, cy, width, height, back >= _ZERO)
        if facing == 0:
            continue
        if facing > 0:
            b, c = c, b
            bx, by, cx, cy = cx, cy, bx, by
            area = -area
        px = np.float64(x0 * 256 + 128)
        py = np.float64(y0 * 256 + 128)
        ea, bcx, bcy, ta = _edge(bx, by, cx, cy, px, py)
        eb, cax, cay, tb = _edge(cx, cy, ax, ay, px, py)
        ec, abx, aby, tc = _edge(ax, ay, bx, by, px, py)
        za, zb, zc = zs[a], zs[b], zs[c]
        wa, wb, wc = ws[a], ws[b], ws[c]
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            r = np.float64(y - y0) * 256.0
            qa = ea + bcx * r
            qb = eb + cax * r
            qc = ec + abx * r
            for x in range(x0, x1 + 1):
                if qa >= ta and qb >= tb and qc >= tc:
                    la = np.float32(qa * inverse)
                    lb = np.float32(qb * inverse)
                    lc = np.float32(qc * inverse)
                    depth = np.int64(la * za + lb * zb + lc * zc)
                    j = y * width + x
                    if depth >= buffer[j] >> 24:
                        packed = depth
                        if facing < 0:
                            packed = (packed << 24) | (np.int64(back) * 0x010101)
                        elif flat:
                            for k in range(3):
                                packed = (packed << 8) | np.int64(face_color[f, k])
                        else:
                            share = _ONE / (la * wa + lb * wb + lc * wc)
                            lb = lb * wb * share
                            lc = lc * wc * share
                            for k in range(4, 7):
                                base = p[k, a]
                                value = base + lb * (p[k, b] - base) + lc * (p[k, c] - base)
                                packed = (packed << 8) | np.int64(value)
                        if packed > buffer[j]:
                            buffer[j] = packed
                qa -= bcy * 256.0
                qb -= cay * 256.0
                qc -= aby * 256.0


@njit_cached(nogil=True, error_model="numpy")
def draw_gray(
    triangles, vertices, matrices, albedo, lights, ambient, background, back, flat, ramp, width, height, out
):
    """Draw frames: *vertices* (T, n, 3), *matrices* (T, 4, 4) float32; *out* (T, height * width * channels) uint8."""
    n = vertices.shape[1]
    pixels = height * width
    p = np.empty((ROWS, n), np.float32)
    normals = np.empty((3, triangles.shape[0] if flat else n), np.float32)
    light = np.empty(n, np.float32)
    face_gray = np.empty(triangles.shape[0] if flat else 1, np.float32)
    clear = np.int32(background)
    # Behind the pixels there is room for lanes and windows that reach past the end; it never counts as empty.
    buffer = np.full(pixels + 4 * width + _LANES, _NEAREST, np.int32)
    buffer[:pixels] = clear
    small = back >= _ZERO and pixels <= _WINDOW_LIMIT
    scratch = np.empty(pixels + 3 * width if small else 1, np.int32)
    low = np.empty(pixels if small else 1, np.int32)
    backs = np.empty((triangles.shape[0] + 1 if small else 1, 3), np.uint32)
    for t in range(vertices.shape[0]):
        project(vertices[t], matrices[t], width, height, p)
        if flat:
            light_triangles(triangles, vertices[t], lights, ambient, normals, face_gray)
            for f in range(triangles.shape[0]):
                base = (albedo[triangles[f, 0]] + albedo[triangles[f, 1]] + albedo[triangles[f, 2]]) * _THIRD
                face_gray[f] = _level(face_gray[f] * base)
        else:
            light_vertices(triangles, vertices[t], lights, ambient, normals, light)
            for v in range(n):
                p[4, v] = _level(light[v] * albedo[v])
        if small:
            raster_gray(triangles, p, face_gray, flat, _CULL, width, height, ramp, buffer)
            _window_minima(buffer, pixels, width, scratch, low)
            count = _visible_backs(triangles, p, width, height, low, backs)
            raster_gray(backs[:count], p, face_gray, flat, back, width, height, ramp, buffer)
        else:
            raster_gray(triangles, p, face_gray, flat, back, width, height, ramp, buffer)
        row = out[t]
        if row.size == pixels:
            for k in range(pixels):
                row[k] = np.uint8(buffer[k])
                buffer[k] = clear
        else:
            for k in range(pixels):
                gray = np.uint8(buffer[k])
                row[3 * k] = gray
                row[3 * k + 1] = gray
                row[3 * k + 2] = gray
                buffer[k] = clear


@njit_cached(nogil=True, error_model="numpy")
def draw_color(
    triangles, vertices, matrices, albedo, lights, ambient, background, back, flat, width, height, out
):
    """Draw colored frames: as :func:`draw_gray`, *albedo* (n, 3), *out* (T, height * width * 3)."""
    n = vertices.shape[1]
    pixels = height * width
    p = np.empty((ROWS, n), np.float32)
    normals = np.empty((3, triangles.shape[0] if flat else n), np.float32)
    light = np.empty(triangles.shape[0] if flat else n, np.float32)
    face_color = np.empty((triangles.shape[0] if flat else 1, 3), np.float32)
    clear = np.int64(background) * 0x010101
    buffer = np.full(pixels, clear, np.int64)
    for t in range(vertices.shape[0]):
        project(vertices[t], matrices[t], width, height, p)
        if flat:
            light_triangles(triangles, vertices[t], lights, ambient, normals, light)
            for f in range(triangles.shape[0]):
                for k in range(3):
                    base = (
                        albedo[triangles[f, 0], k] + albedo[triangles[f, 1], k] + albedo[triangles[f, 2], k]
                    ) * _THIRD
                    face_color[f, k] = _level(light[f] * base)
        else:
            light_vertices(triangles, vertices[t], lights, ambient, normals, light)
            for v in range(n):
                for k in range(3):
                    p[4 + k, v] = _level(light[v] * albedo[v, k])
        raster_color(triangles, p, face_color, flat, back, width, height, buffer)
        row = out[t]
        for k in range(pixels):
            value = buffer[k]
            row[3 * k] = np.uint8(value >> 16)
            row[3 * k + 1] = np.uint8(value >> 8)
            row[3 * k + 2] = np.uint8(value)
            buffer[k] = clear
