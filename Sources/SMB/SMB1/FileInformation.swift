import Wire

extension SMB1 {
    /// What is told of a file or a directory, at the information level that was asked for. It is
    /// only written: this program reads nobody's files, and a reader would serve no one.
    package struct FileInformation: Equatable, Sendable {
        package var name: String
        /// Nil where the name is none of eight and three characters.
        package var shortName: String?
        package var attributes: FileAttributes
        package var size: UInt64
        /// Seconds since 1970, of every kind of time.
        package var modified: UInt64
        /// A pipe has no times, and goes with its last handle.
        private var isPipe = false

        package init(
            name: String, shortName: String?, attributes: FileAttributes, size: UInt64,
            modified: UInt64
        ) {
            self.name = name
            self.shortName = shortName
            self.attributes = attributes
            self.size = size
            self.modified = modified
        }

        /// Of an open pipe, whose size is what there is to be read.
        package init(pipe name: String, unread: Int) {
            self.init(
                name: name, shortName: nil, attributes: [], size: UInt64(unread), modified: 0)
            isPipe = true
        }

        /// 100 ns steps since 1601.
        private var fileTime: UInt64 { isPipe ? 0 : FileTime.at(unixSeconds: modified) }

        /// Files fill blocks of this size.
        private static var block: UInt64 { 512 }
        private var allocation: UInt64 { (size + Self.block - 1) / Self.block * Self.block }
        private var isDirectory: Bool { attributes.contains(.directory) }

        /// ATTR_NORMAL stands where no attribute is (MS-CIFS 2.2.1.2.3).
        private var extendedAttributes: UInt32 {
            attributes.isEmpty ? 0x80 : UInt32(attributes.rawValue)
        }

        // MARK: Searches

        /// Adds the entry of a search (MS-CIFS 2.2.8.1); false where the level is unknown.
        /// `resumeKey` is there where the client asked for keys.
        package func writeFound(
            into writer: inout WireWriter, level: UInt16, _ form: Form, resumeKey: UInt32?
        ) -> Bool {
            switch level {
            case 0x0001, 0x0002:
                if let resumeKey { writer.uint32LE(resumeKey) }
                writeStandard(into: &writer, hasEASize: level == 2)
                let length = writer.count
                writer.uint8(0)
                if form.isUnicode { writer.align(2, from: form.base) }
                let start = writer.count
                writer.smbString(name, form)
                let end = form.isUnicode ? 2 : 1
                writer.patch8(length, min(writer.count - start - end, 255))
            case 0x0101, 0x0102, 0x0103, 0x0104:
                writeEntry(into: &writer, level: level, form, resumeKey ?? 0)
            case _: return false
            }
            return true
        }

        /// Entries of the NT levels are chained by their first field, and begin every 8 bytes.
        private func writeEntry(
            into writer: inout WireWriter, level: UInt16, _ form: Form, _ index: UInt32
        ) {
            writer.uint32LE(0)
            writer.uint32LE(index)
            if level != 0x0103 {
                for _ in 0..<4 { writer.uint64LE(fileTime) }
                writer.uint64LE(size)
                writer.uint64LE(allocation)
                writer.uint32LE(extendedAttributes)
            }
            let length = writer.reserve32()
            if level == 0x0102 || level == 0x0104 { writer.uint32LE(0) }
            if level == 0x0104 {
                let short = WireWriter.text(shortName ?? "", form)
                writer.uint8(UInt8(short.count))
                writer.uint8(0)
                writer.append(short)
                writer.zeros(24 - short.count)
            }
            let text = WireWriter.text(name, form)
            writer.append(text)
            writer.patch32LE(length, text.count)
        }

        // MARK: Queries

        /// Writes what is asked for (MS-CIFS 2.2.8.3, MS-FSCC 2.4 for the levels from 1,000 on);
        /// false where the level is unknown.
        package func write(into writer: inout WireWriter, level: UInt16, _ form: Form) -> Bool {
            switch level {
            case 0x0001, 0x0002: writeStandard(into: &writer, hasEASize: level == 2)
            case 0x0101, 1_004: writeBasic(into: &writer)
            case 0x0102, 1_005: writeSizes(into: &writer)
            case 0x0103, 1_007: writer.uint32LE(0)
            case 0x0104, 1_009: writeName("\\" + name, into: &writer, form)
            case 0x0107, 1_018:
                writeBasic(into: &writer)
                writeSizes(into: &writer)
                writer.uint32LE(0)
                writeName("\\" + name, into: &writer, form)
            case 0x0108, 1_021: writeName(shortName ?? name, into: &writer, form)
            case 1_006: writer.uint64LE(0)
            case _: return false
            }
            return true
        }

        private func writeStandard(into writer: inout WireWriter, hasEASize: Bool) {
            let time = isPipe ? DOSTime(date: 0, time: 0) : DOSTime(unix: modified)
            for _ in 0..<3 { time.write(into: &writer) }
            writer.uint32LE(UInt32(truncatingIfNeeded: size))
            writer.uint32LE(UInt32(truncatingIfNeeded: allocation))
            writer.uint16LE(attributes.rawValue)
            if hasEASize { writer.uint32LE(0) }
        }

        private func writeBasic(into writer: inout WireWriter) {
            for _ in 0..<4 { writer.uint64LE(fileTime) }
            writer.uint32LE(extendedAttributes)
            writer.uint32LE(0)
        }

        private func writeSizes(into writer: inout WireWriter) {
            writer.uint64LE(allocation)
            writer.uint64LE(size)
            writer.uint32LE(1)
            writer.uint8(isPipe ? 1 : 0)
            writer.uint8(isDirectory ? 1 : 0)
            writer.uint16LE(0)
        }

        private func writeName(_ name: String, into writer: inout WireWriter, _ form: Form) {
            let text = WireWriter.text(name, form)
            writer.uint32LE(UInt32(text.count))
            writer.append(text)
        }
    }

    /// What is told of the share's file system (MS-CIFS 2.2.8.2): a volume that is full.
    package enum VolumeInformation {
        private static var units: UInt32 { 65_535 }
        private static var serial: UInt32 { 0x504f_5354 }

        /// False where the level is unknown.
        package static func write(
            into writer: inout WireWriter, level: UInt16, label: String, _ form: Form
        ) -> Bool {
            switch level {
            case 0x0001:
                writer.uint32LE(0)
                writer.uint32LE(1)
                writer.uint32LE(units)
                writer.uint32LE(0)
                writer.uint16LE(512)
            case 0x0002:
                writer.uint32LE(serial)
                writer.uint8(UInt8(min(WireWriter.text(label, form).count, 255)))
                writer.smbString(label, form)
            case 0x0102, 1_001:
                let text = WireWriter.text(label, form)
                writer.uint64LE(0)
                writer.uint32LE(serial)
                writer.uint32LE(UInt32(text.count))
                writer.uint16LE(0)
                writer.append(text)
            case 0x0103, 1_003:
                writer.uint64LE(UInt64(units))
                writer.uint64LE(0)
                writer.uint32LE(1)
                writer.uint32LE(512)
            case 0x0104, 1_004:
                // A disk, read only and remote.
                writer.uint32LE(7)
                writer.uint32LE(0x12)
            case 0x0105, 1_005:
                // Names keep their case.
                let text = WireWriter.text("FAT", form)
                writer.uint32LE(2)
                writer.uint32LE(255)
                writer.uint32LE(UInt32(text.count))
                writer.append(text)
            case _: return false
            }
            return true
        }
    }
}

extension WireWriter {
    /// The characters alone, in the message's form.
    static func text(_ text: String, _ form: SMB1.Form) -> [UInt8] {
        if !form.isUnicode { return OEMCodePage.bytes(text) }
        var writer = WireWriter(capacity: text.utf16.count * 2)
        writer.utf16LE(text)
        return writer.finish()
    }
}
