# SPDX-License-Identifier: Apache-2.0
"""What Cassandra 5.0 asks of Java 17: the module doors its tools and its server need open, and the server's garbage collector."""

EXPORTS = """
java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch java.base/java.lang.ref
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql
jdk.unsupported/sun.misc jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach
""".split()
OPENS = """
java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.math
java.base/jdk.internal.module java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io
java.base/java.lang.reflect jdk.compiler/com.sun.tools.javac java.base/java.lang java.base/java.math java.base/java.net java.base/java.util
java.base/java.util.concurrent java.base/java.util.concurrent.atomic
""".split()

MODULES = ["-Djdk.attach.allowAttachSelf=true"]
MODULES += [f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS]
MODULES += [f"--add-opens={name}=ALL-UNNAMED" for name in OPENS]

SERVER = """
-ea -da:net.openhft... -XX:+ExitOnOutOfMemoryError -XX:+UseThreadPriorities -Xss256k -XX:+UseTLAB -XX:+ResizeTLAB -XX:+PerfDisableSharedMem
-Djava.net.preferIPv4Stack=true -XX:+UseG1GC -XX:+ParallelRefProcEnabled -XX:MaxTenuringThreshold=1 -XX:G1RSetUpdatingPauseTimePercent=5
-XX:MaxGCPauseMillis=300 -XX:InitiatingHeapOccupancyPercent=70 -XX:MaxDirectMemorySize=512m
-Dio.netty.tryReflectionSetAccessible=true -Dio.netty.allocator.useCacheForAllThreads=true -Dio.netty.allocator.maxOrder=11
""".split()
