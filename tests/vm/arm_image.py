"""What the ARM machine starts from: an initramfs with the kernel's modules, and a disk that holds the box's root file system."""
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers" / "openwrt"))
import packages  # noqa: E402

# Debian's kernel has as modules what OpenWrt's for this board has built in (disk, file system, network) or as kmod packages (CAN, USB serial).
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "ext4", "crc32c_generic", "xhci_pci", "ftdi_sio", "can_raw", "can_bcm", "vcan", "kvaser_pci",
           "i6300esb")
DISK_MB = 64


def module_order(kernel, names=MODULES):
    """The files of the modules, each behind those that it needs: read from the modules themselves, since modules.dep is made at installation."""
    files = {f.stem.replace("-", "_"): f for f in kernel.glob("lib/modules/*/kernel/**/*.ko")}
    builtin = {pathlib.Path(line).stem.replace("-", "_")
               for path in kernel.glob("lib/modules/*/modules.builtin") for line in path.read_text().splitlines()}
    order = []

    def need(name):
        if name in builtin and name not in files:
            return
        file = files[name]
        if file in order:
            return
        data = file.read_bytes()
        # depends= names what gives symbols; softdep=pre: what else should be there, such as a checksum that is looked up by name.
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in depends.group(1).decode().split(",") if depends else ():
            if other:
                need(other.replace("-", "_"))
        order.append(file)

    for name in names:
        need(name)
    return order


def make_initramfs(kernel, busybox, folder):
    """The path of a cpio archive, not compressed: unpacking would cost an emulated processor more than reading."""
    root = folder / "initramfs.d"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "modules", "proc", "sys", "dev", "root"):
        (root / name).mkdir(parents=True)
    order = module_order(kernel)
    for file in order:
        shutil.copy(file, root / "modules")
    (root / "modules" / "order").write_text("".join(f"{f.name}\n" for f in order))
    shutil.copy(busybox, root / "bin")
    (root / "bin" / "busybox").chmod(0o755)
    shutil.copy(HERE / "arm_boot.sh", root / "init")
    (root / "init").chmod(0o755)
    path = folder / "initramfs"
    with open(path, "wb") as out:
        names = "".join(f"{f.relative_to(root)}\n" for f in [root, *sorted(root.rglob("*"))])
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root, input=names.encode(), stdout=out, check=True)
    return path


def make_disk(root, image):
    """An ext4 image of what stands below root."""
    (root / ".fresh").touch()
    image.unlink(missing_ok=True)
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-d", root, "-L", "box", image, f"{DISK_MB}M"], check=True)


def make_base(root, busybox):
    """A root file system as it is before our package: busybox, root as the only user, and stand-ins for what OpenWrt's base has and Debian has not
    (rc.common with procd's part in it, uci, ubus, functions.sh: tests/peers/openwrt)."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "sbin", "usr/bin", "usr/sbin", "usr/lib", "usr/share", "etc/init.d", "etc/rc.d", "etc/config", "etc/uci-defaults", "lib", "proc", "sys", "dev",
                 "tmp", "root", "mnt", "srv"):
        (root / name).mkdir(parents=True)
    shutil.copytree(HERE.parent / "peers/openwrt/plain", root, dirs_exist_ok=True)
    # Of procd's sandbox there is no working stand-in: the init script then has the daemon itself give root's rights up (--user).
    (root / "sbin/ujail").unlink(missing_ok=True)
    for script in [*(root / "bin").iterdir(), root / "etc/rc.common"]:
        script.chmod(0o755)
    place(busybox, root / "bin/busybox")
    place(HERE / "arm_init.sh", root / "sbin/init")
    place(HERE / "agent.sh", root / "sbin/agent")
    (root / "bin/sh").symlink_to("busybox")
    (root / "var").symlink_to("tmp")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/var:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\ndialout:x:20:\nnogroup:x:65534:\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n10.0.2.100 platform.example\n")


def place(source, target):
    shutil.copy(source, target)
    target.chmod(0o755)


def make_root(root, busybox, package, programs):
    """The box's root file system with our package unpacked on it, as opkg does it, and the test's own programs. The package's own script runs in
    the guest, at the first start (arm_init.sh)."""
    make_base(root, busybox)
    read = packages.read_ipk(package)
    read.check()
    packages.Opkg(root, read.arch, provided=read.depends).install(read)
    (root / "usr/lib/opkg/info/forecourt.postinst").write_text(read.scripts["postinst"])
    for program in programs:
        place(program, root / "usr/sbin" / program.name)
    return read
