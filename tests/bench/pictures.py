"""pictures: lib/image beside what a user would take, on 4096x2160 pictures of three kinds.

    tests/bench/pictures.py [--runs N] [--keep DIR] [--previews]   (make bench; needs tests/bench/stitch, made by `make bench`)

noise    a gradient with noise: hard to deflate
render   Blender's Cycles, 6 samples, not denoised (left out where there is no Blender)
flat     text and boxes: extremely compressible

Every competitor of a table is run in the same interleaved loop; wall seconds are medians, RSS is the highest. A competitor that is not
installed is left out. The competitor that counts is the fastest whose file meets the size limit (1.25 x montage's for PNG, 1.05 x
oiiotool's for EXR).
"""
import argparse, os, random, shutil, statistics, subprocess, tempfile

W, H, GRID = 4096, 2160, 4
STITCH = os.path.join(os.environ.get('top_builddir', '.'), 'tests/bench/stitch')

BLENDER = r'''
import bpy, sys
out = sys.argv[-1]
scene = bpy.context.scene
bpy.ops.mesh.primitive_monkey_add(location=(2, 0, 1))
bpy.ops.mesh.primitive_plane_add(size=30)
for number, thing in enumerate(o for o in bpy.data.objects if o.type == 'MESH'):
    material = bpy.data.materials.new('m')
    material.use_nodes = True
    material.node_tree.nodes['Principled BSDF'].inputs[0].default_value = ((0.8, 0.2, 0.1, 1), (0.1, 0.4, 0.7, 1), (0.5, 0.45, 0.3, 1))[number %% 3]
    thing.data.materials.clear()
    thing.data.materials.append(material)
scene.render.engine = 'CYCLES'
scene.cycles.samples = 6
scene.cycles.use_denoising = False
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = %d, %d, 100
image = scene.render.image_settings
image.file_format, image.color_mode, image.color_depth, image.exr_codec = 'OPEN_EXR', 'RGB', '16', 'ZIP'
scene.render.filepath = out + '.exr'
bpy.ops.render.render(write_still=True)
image.file_format, image.color_depth = 'PNG', '8'
bpy.data.images['Render Result'].save_render(out + '.png')
'''


def have(name):
    return shutil.which(name) is not None


def quiet(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_noise(path):
    rnd = random.Random(1)
    with open(path + '.ppm', 'wb') as f:
        f.write(b'P6\n%d %d\n255\n' % (W, H))
        for y in range(H):
            noise = rnd.randbytes(W)
            row = bytearray(3 * W)
            base = bytes(x * 200 // W + y * 30 // H for x in range(W))
            row[0::3] = bytes(b + (n & 15) for b, n in zip(base, noise))
            row[1::3] = bytes(b // 2 + (n >> 4) for b, n in zip(base, noise))
            row[2::3] = bytes(240 - b + (n * 5 >> 4 & 15) for b, n in zip(base, noise))
            f.write(row)
    quiet('convert', path + '.ppm', '-define', 'png:color-type=2', path + '.png')
    os.unlink(path + '.ppm')


def make_flat(path):
    """Lines of 26 made-up letters with grey edges, on white and on boxes with soft gradients, below a bar of many colours: over 256, or
    ImageMagick would write a palette."""
    rnd = random.Random(2)
    letters = [[bytes(rnd.choice((0, 0, 0, 255, 255, 90)) for _ in range(10)) for _ in range(16)] for _ in range(26)]
    boxes = [(rnd.randrange(W - 500), rnd.randrange(H - 300), bytes(rnd.choice(((238, 243, 248), (255, 242, 204), (217, 234, 211))))) for _ in range(30)]
    rows = []
    for y in range(H):
        row = bytearray(b'\xff' * 3 * W)
        for bx, by, colour in boxes:
            if by <= y < by + 260:
                row[3 * bx:3 * bx + 3 * 480] = bytes(c - (y - by) // 8 for c in colour) * 480
        if y < 32:
            row = bytearray(b''.join(bytes((x // 16, y * 8, 128)) for x in range(W)))
        rows.append(row)
    for top in range(40, H - 40, 36):
        for left in 60, 1400, 2750:
            word = [min(25, int(rnd.expovariate(0.15))) for _ in range(90)]
            for i in range(rnd.randrange(40, 90)):
                if word[i] > 0:
                    for dy in range(16):
                        for dx, ink in enumerate(letters[word[i]][dy]):
                            if ink:
                                at = 3 * (left + 12 * i + dx)
                                rows[top + dy][at:at + 3] = bytes(c * (255 - ink) // 255 for c in rows[top + dy][at:at + 3])
    with open(path + '.ppm', 'wb') as f:
        f.write(b'P6\n%d %d\n255\n' % (W, H))
        f.writelines(rows)
    quiet('convert', path + '.ppm', '-define', 'png:color-type=2', path + '.png')
    os.unlink(path + '.ppm')


def make_render(path, width=W, height=H):
    script = path + '.py'
    with open(script, 'w') as f:
        f.write(BLENDER % (width, height))
    quiet('blender', '-b', '--factory-startup', '-P', script, '--', path)


def cut(path, ext, tiles):
    """The picture in GRID x GRID tiles, row by row."""
    w, h, names = W // GRID, H // GRID, []
    for i in range(GRID * GRID):
        name = '%s/%02d.%s' % (tiles, i, ext)
        x, y = i % GRID * w, i // GRID * h
        if ext == 'png':
            quiet('convert', path, '-crop', '%dx%d+%d+%d' % (w, h, x, y), '+repage', '-define', 'png:color-type=2', name)
        else:
            quiet('oiiotool', path, '--cut', '%dx%d+%d+%d' % (w, h, x, y), '--compression', 'zip', '-o', name)
        names.append(name)
    return names


def run(argv):
    """Wall and CPU seconds and peak RSS in MB of one command."""
    done = subprocess.run([STITCH, 'run', *argv], capture_output=True, text=True)
    if done.returncode != 0:
        return None, 0, 0
    wall, cpu, kib = done.stdout.split()
    return float(wall), float(cpu), int(kib) / 1024


def table(title, cases, runs, limit=None, baseline=None):
    """cases: (name, argv, output). Prints the table; the first case is ours."""
    cases = [c for c in cases if os.path.exists(c[1][0]) or have(c[1][0])]
    walls, cpus, rss, sizes = {c[0]: [] for c in cases}, {c[0]: [] for c in cases}, {}, {}
    for _ in range(runs):
        for name, argv, out in cases:
            wall, cpu, mb = run(argv)
            if wall is None:
                continue
            walls[name].append(wall)
            cpus[name].append(cpu)
            rss[name] = max(mb, rss.get(name, 0))
            sizes[name] = os.path.getsize(out)
            os.unlink(out)
    ours = statistics.median(walls[cases[0][0]])
    print('\n%s' % title)
    print('  %-22s %8s %7s %8s %8s %9s %7s' % ('', 'wall s', 'x ours', 'CPU s', 'RSS MB', 'size MB', 'x ' + (baseline or 'base')))
    for name, argv, out in cases:
        if not walls[name]:
            print('  %-22s fails' % name)
            continue
        wall = statistics.median(walls[name])
        base = sizes.get(baseline, sizes[name])
        fits = limit is None or sizes[name] <= limit * base
        print('  %-22s %8.3f %7.2f %8.3f %8.0f %9.2f %7.2f%s' % (name, wall, wall / ours, statistics.median(cpus[name]), rss[name], sizes[name] / 1e6, sizes[name] / base, '' if fits else '  too big'))
    fair = [(statistics.median(walls[n]), n) for n, _, _ in cases if not n.startswith('farmgate') and walls[n] and (limit is None or sizes[n] <= limit * sizes.get(baseline, sizes[n]))]
    if fair:
        print('  -> %.2f x the fastest that counts (%s); memory 1/%.1f of it' % (min(fair)[0] / ours, min(fair)[1], rss[min(fair)[1]] / rss[cases[0][0]]))


def bench_png(work, kind, tiles, runs):
    out = work + '/out.png'
    vips = lambda options: ['vips', 'arrayjoin', ' '.join(tiles), out + options, '--across', str(GRID)]
    table('PNG stitch, %s' % kind, [
        ('farmgate', [STITCH, 'stitch', out, str(GRID), str(GRID), *tiles], out),
        ('farmgate, 1 thread', [STITCH, '-t', '1', 'stitch', out, str(GRID), str(GRID), *tiles], out),
        ('vips [1,all]', vips('[compression=1,filter=all]'), out),
        ('vips [3,paeth]', vips('[compression=3,filter=paeth]'), out),
        ('vips default', vips(''), out),
        ('vips [6,all]', vips('[compression=6,filter=all]'), out),
        ('montage', ['montage', *tiles, '-tile', '%dx%d' % (GRID, GRID), '-geometry', '+0+0', out], out),
    ], runs, 1.25, 'montage')


def bench_exr(work, kind, tiles, runs):
    out = work + '/out.exr'
    mosaic = lambda *options: ['oiiotool', *tiles, '--mosaic', '%dx%d' % (GRID, GRID), '-d', 'half', '--compression', *options, '-o', out]
    table('EXR stitch (half, zip), %s' % kind, [
        ('farmgate', [STITCH, 'stitch', out, str(GRID), str(GRID), *tiles], out),
        ('farmgate, 1 thread', [STITCH, '-t', '1', 'stitch', out, str(GRID), str(GRID), *tiles], out),
        ('oiiotool', mosaic('zip'), out),
        ('oiiotool zip:1', mosaic('zip:1'), out),
    ], runs, 1.05, 'oiiotool')


def bench_thumb(work, kind, exr, runs):
    out = work + '/out.jpg'
    table('EXR %dx%d -> JPEG 1280, %s' % (W, H, kind), [
        ('farmgate', [STITCH, 'thumb', out, '1280', exr], out),
        ('farmgate, 1 thread', [STITCH, '-t', '1', 'thumb', out, '1280', exr], out),
        ('ffmpeg area', ['ffmpeg', '-v', 'error', '-y', '-apply_trc', 'iec61966_2_1', '-i', exr, '-vf', 'scale=1280:-1:flags=area', '-q:v', '3', out], out),
        ('oiiotool box', ['oiiotool', exr, '--resize:filter=box', '1280x675', '--colorconvert', 'linear', 'sRGB', '-d', 'uint8', '--quality', '80', '-o', out], out),
    ], runs)


def bench_previews(work, kind, exr, runs):
    """A JPEG 1280 pixels wide of each compression: ours has to take a third of ffmpeg's wall time, and a quarter of oiiotool's."""
    out = work + '/out.jpg'
    print('\nEXR %dx%d half -> JPEG 1280, %s (wall s)' % (W, H, kind))
    print('  %-6s %8s %9s %9s %9s %9s %10s %11s' % ('', 'MB', 'farmgate', '1 thread', 'ffmpeg', 'oiiotool', 'x ffmpeg', 'x oiiotool'), flush=True)
    for name in ('none', 'rle', 'zip', 'zips', 'piz', 'pxr24', 'b44'):
        packed = '%s/%s-%s.exr' % (work, kind, name)
        if not os.path.exists(packed):
            quiet('oiiotool', exr, '-d', 'half', '--compression', name, '-o', packed)
        cases = [
            ('ours', [STITCH, 'thumb', out, '1280', packed]),
            ('one', [STITCH, '-t', '1', 'thumb', out, '1280', packed]),
            ('ffmpeg', ['ffmpeg', '-v', 'error', '-y', '-apply_trc', 'iec61966_2_1', '-i', packed, '-vf', 'scale=1280:-1:flags=area', '-q:v', '3', out]),
            ('oiiotool', ['oiiotool', packed, '--resize:filter=box', '1280x675', '--colorconvert', 'linear', 'sRGB', '-d', 'uint8', '--quality', '80', '-o', out]),
        ]
        walls = {case: [] for case, _ in cases}
        for _ in range(runs):
            for case, argv in cases:
                wall = run(argv)[0] if have(argv[0]) or os.path.exists(argv[0]) else None
                if wall is not None:
                    walls[case].append(wall)
        wall = {case: statistics.median(got) for case, got in walls.items() if got}
        against = [wall[other] / wall['ours'] if other in wall else 0 for other in ('ffmpeg', 'oiiotool')]
        missed = ''.join('  misses %s' % other for other, ratio, least in zip(('ffmpeg', 'oiiotool'), against, (3, 4)) if 0 < ratio < least)
        print('  %-6s %8.1f %9.3f %9.3f %9.3f %9.3f %10.2f %11.2f%s' % (name, os.path.getsize(packed) / 1e6, wall['ours'], wall['one'], wall.get('ffmpeg', 0),
                                                                          wall.get('oiiotool', 0), *against, missed), flush=True)


def bench_check(files):
    print('\nCheck (quickest of 20)')
    for name in files:
        line = subprocess.run([STITCH, 'check', name], capture_output=True, text=True).stdout
        again = subprocess.run([STITCH, 'decode', name], capture_output=True, text=True).stdout
        ours, rows = float(line.split()[-2]), float(again.split()[-2])
        print('  %-12s %5.2f MB   check %6.2f ms, libpng %6.2f ms: %.2f x' % (os.path.basename(name), os.path.getsize(name) / 1e6, ours, rows, ours / rows))


def bench_big(work):
    tile, out = work + '/big.png', work + '/out.png'
    quiet('convert', work + '/noise.png', '-crop', '2048x2048+0+0', '+repage', '-define', 'png:color-type=2', tile)
    wall, cpu, mb = run([STITCH, '-t', '2', 'stitch', out, '8', '8', *[tile] * 64])
    print('\nPNG stitch of 64 tiles to 16384x16384: %.1f s, RSS %.0f MB (limit 64), %.0f MB written' % (wall, mb, os.path.getsize(out) / 1e6))
    os.unlink(out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('--runs', type=int, default=5)
    args.add_argument('--keep', metavar='DIR', help='make the pictures there and leave them, or take those that are there')
    args.add_argument('--previews', action='store_true', help='only the table of previews by EXR compression')
    args = args.parse_args()
    if not have('convert'):
        return print('\nPictures: left out, ImageMagick is not installed')
    work = args.keep or tempfile.mkdtemp(prefix='farmgate-pictures-')
    os.makedirs(work, exist_ok=True)
    kinds = ['noise', 'render', 'flat'] if have('blender') else ['noise', 'flat']
    try:
        for kind in kinds:
            path = '%s/%s' % (work, kind)
            if not os.path.exists(path + '.png'):
                {'noise': make_noise, 'render': make_render, 'flat': make_flat}[kind](path)
            if kind != 'flat' and not os.path.exists(path + '.exr') and have('oiiotool'):
                quiet('oiiotool', path + '.png', '--colorconvert', 'sRGB', 'linear', '-d', 'half', '--compression', 'zip', '-o', path + '.exr')
            for ext in 'png', 'exr':
                tiles = '%s-%s' % (path, ext)
                if os.path.exists('%s.%s' % (path, ext)) and not os.path.isdir(tiles):
                    os.mkdir(tiles)
                    cut('%s.%s' % (path, ext), ext, tiles)
        listed = lambda kind, ext: ['%s/%s-%s/%s' % (work, kind, ext, n) for n in sorted(os.listdir('%s/%s-%s' % (work, kind, ext)))]
        for kind in kinds[:-1]:
            if os.path.exists('%s/%s.exr' % (work, kind)):
                bench_previews(work, kind, '%s/%s.exr' % (work, kind), args.runs)
        if args.previews:
            return
        for kind in kinds:
            bench_png(work, kind, listed(kind, 'png'), args.runs)
        for kind in kinds[:-1]:
            if os.path.exists('%s/%s.exr' % (work, kind)):
                bench_exr(work, kind, listed(kind, 'exr'), args.runs)
                bench_thumb(work, kind, '%s/%s.exr' % (work, kind), args.runs)
        bench_check([listed(kind, 'png')[9] for kind in kinds] + ['%s/%s.png' % (work, kind) for kind in kinds])
        bench_big(work)
    finally:
        if not args.keep:
            shutil.rmtree(work)


if __name__ == '__main__':
    main()
