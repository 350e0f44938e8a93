package gridfold.peer;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** An asset's state as bytes: fixed fields first, then the values of the fields that are known. */
final class StateCodec {
    private static final int MAX_BYTES = 256 + Fields.COUNT * (Double.BYTES + Long.BYTES);
    private final ByteBuffer out = ByteBuffer.allocate(MAX_BYTES);

    byte[] encode(AssetState s) {
        out.clear();
        out.putLong(s.lastDeviceTime).putInt(s.revision).putInt(s.duplicates).putInt(s.late);
        out.putLong(s.txidHash).putLong(s.contentHash);
        out.putInt(s.known).putInt(s.fresh).putInt(s.invalid);
        putRegion(s.connectivity);
        putRegion(s.grid);
        putRegion(s.operation);
        out.put((byte) s.pendingOperation);
        out.putDouble(s.outWh).putDouble(s.inWh).putInt(s.coveredMs);
        out.putDouble(s.loadWh).putDouble(s.solarWh).putDouble(s.importWh).putDouble(s.exportWh);
        out.putInt(s.meterCoveredMs).putDouble(s.totalOutWh).putDouble(s.totalInWh);
        for (int rest = s.known; rest != 0; rest &= rest - 1) {
            out.putDouble(s.values[Integer.numberOfTrailingZeros(rest)]);
        }
        for (int rest = s.known & ~s.fresh; rest != 0; rest &= rest - 1) {
            out.putLong(s.times[Integer.numberOfTrailingZeros(rest)]);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    void decode(byte[] bytes, AssetState s) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        s.lastDeviceTime = in.getLong();
        s.revision = in.getInt();
        s.duplicates = in.getInt();
        s.late = in.getInt();
        s.txidHash = in.getLong();
        s.contentHash = in.getLong();
        s.known = in.getInt();
        s.fresh = in.getInt();
        s.invalid = in.getInt();
        getRegion(in, s.connectivity);
        getRegion(in, s.grid);
        getRegion(in, s.operation);
        s.pendingOperation = in.get();
        getEnergy(in, s);
        for (int rest = s.known; rest != 0; rest &= rest - 1) {
            s.values[Integer.numberOfTrailingZeros(rest)] = in.getDouble();
        }
        for (int rest = s.known & ~s.fresh; rest != 0; rest &= rest - 1) {
            s.times[Integer.numberOfTrailingZeros(rest)] = in.getLong();
        }
    }

    private static void getEnergy(ByteBuffer in, AssetState s) {
        s.outWh = in.getDouble();
        s.inWh = in.getDouble();
        s.coveredMs = in.getInt();
        s.loadWh = in.getDouble();
        s.solarWh = in.getDouble();
        s.importWh = in.getDouble();
        s.exportWh = in.getDouble();
        s.meterCoveredMs = in.getInt();
        s.totalOutWh = in.getDouble();
        s.totalInWh = in.getDouble();
    }

    private void putRegion(Region region) {
        out.put((byte) region.state).putLong(region.since).put((byte) Math.min(region.nth, Byte.MAX_VALUE));
    }

    private static void getRegion(ByteBuffer in, Region region) {
        region.state = in.get();
        region.since = in.getLong();
        region.nth = in.get();
    }
}
