import SMB
import Wire

/// Paths of the share: a client's text as components, each of which is a name and nothing else.
struct SharePath {
    static let depthLimit = 16
    static let nameLimit = 255

    /// Empty for the share itself.
    let components: [String]

    /// Nil for a path that leaves the share, or has a character that no name has.
    init?(_ text: String) {
        var components: [String] = []
        for part in text.split(separator: "\\") {
            if part == "." { continue }
            let isName = part != ".." && part.utf8.count <= Self.nameLimit
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x2f && $0 != 0x3a && $0 != 0x7f }
            if !isName || components.count == Self.depthLimit { return nil }
            components.append(String(part))
        }
        self.components = components
    }
}

extension SMBConnection {
    /// What a path means: names as the share has them, in whatever case they were asked for.
    enum Lookup {
        case found([String], SharedEntry)
        case failed(NTStatus)
    }

    func look(up text: String) -> Lookup {
        guard let path = SharePath(text) else { return .failed(.objectPathSyntaxBad) }
        guard let files = context.files else { return .failed(.objectPathNotFound) }
        var names: [String] = []
        var entry = SharedEntry(name: "", isDirectory: true, size: 0, modified: 0)
        for (index, component) in path.components.enumerated() {
            let isLast = index == path.components.count - 1
            guard entry.isDirectory, let entries = files.entries(of: names) else {
                return .failed(.objectPathNotFound)
            }
            let wanted = component.uppercased()
            guard let found = entries.first(where: { $0.name.uppercased() == wanted }) else {
                return .failed(isLast ? .objectNameNotFound : .objectPathNotFound)
            }
            names.append(found.name)
            entry = found
        }
        return .found(names, entry)
    }

    // MARK: Opening

    /// OPEN, OPEN_ANDX and NT_CREATE_ANDX, of a pipe or of a file to read.
    func open(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange,
        _ place: SMBPlace, _ now: FrontTime
    ) throws(WireError) -> SMBStep {
        let path: String
        let writes: Bool
        /// What does not exist is to be made.
        var creates = false
        var wantsDirectory: Bool?
        switch block.command {
        case .open:
            let request = try SMB1.CoreOpenRequest(parsing: &reader, block)
            path = request.fileName
            writes = Self.writes(request.accessMode)
        case .openAndX:
            let request = try SMB1.OpenRequest(parsing: &reader, block)
            path = request.fileName
            // Only what exists is opened, and nothing is cut.
            writes = Self.writes(request.accessMode) || request.openMode & 0x13 != 1
            creates = request.openMode & 0x10 != 0
        case _:
            let request = try SMB1.NTCreateRequest(parsing: &reader, block)
            if request.rootDirectoryFID != 0 { return .failed(.notSupported) }
            path = request.fileName
            writes = request.desiredAccess & Self.writingRights != 0
                || request.createDisposition != 1 && request.createDisposition != 3
            creates = request.createDisposition != 1 && request.createDisposition != 4
            if request.createOptions & 0x01 != 0 { wantsDirectory = true }
            if request.createOptions & 0x40 != 0 { wantsDirectory = false }
        }
        if place.share == .ipc {
            let (open, status) = openPipe(path, exchange, place, now)
            guard let open else { return .failed(status) }
            appendOpened(open, nil, block.command, exchange)
            return .done
        }
        switch look(up: path) {
        case .failed(let status):
            return .failed(creates && status == .objectNameNotFound ? .accessDenied : status)
        case .found(let names, let entry):
            if writes { return .failed(.accessDenied) }
            if opens.count >= SMBLimits.opens { return .failed(.tooManyOpenedFiles) }
            if entry.isDirectory && (wantsDirectory == false || block.command != .ntCreateAndX) {
                return .failed(.fileIsADirectory)
            }
            if wantsDirectory == true && !entry.isDirectory { return .failed(.notADirectory) }
            let open = add(.file(path: names, entry), exchange)
            appendOpened(open, entry, block.command, exchange)
            return .done
        }
    }

    /// AccessMode (MS-CIFS 2.2.4.3.1): 0 reads, 3 executes.
    private static func writes(_ accessMode: UInt16) -> Bool {
        let access = accessMode & 7
        return access != 0 && access != 3
    }

    /// To write, append, delete, change attributes, owner or permissions; and anything at all.
    private static var writingRights: UInt32 { 0x500d_0156 }

    private func appendOpened(
        _ open: SMBOpen, _ entry: SharedEntry?, _ command: SMB1.Command, _ exchange: SMBExchange
    ) {
        let size = entry?.size ?? 0
        let size32 = UInt32(truncatingIfNeeded: size)
        let modified = UInt32(truncatingIfNeeded: entry?.modified ?? 0)
        let attributes = entry.map { Self.attributes($0) } ?? []
        let type: UInt16 = entry == nil ? SMB1.NTCreateResponse.messageModePipe : 0
        let pipeState = entry == nil ? SMB1.PipeState.rpc.rawValue : 0
        switch command {
        case .open:
            exchange.append(SMB1.CoreOpenResponse(
                fid: open.fid, fileAttrs: attributes.rawValue, lastModified: modified,
                fileSize: size32, accessMode: entry == nil ? SMB1.OpenRequest.readWrite : 0))
        case .openAndX:
            var answer = SMB1.OpenResponse(
                fid: open.fid, resourceType: type, nmPipeStatus: pipeState)
            answer.fileAttrs = attributes.rawValue
            answer.lastWriteTime = modified
            answer.fileDataSize = size32
            if entry != nil { answer.accessRights = 0 }
            exchange.append(answer)
        case _:
            var answer = SMB1.NTCreateResponse(
                fid: open.fid, resourceType: type, nmPipeStatus: pipeState)
            if let entry {
                let time = FrontTime(now: 0, unix: entry.modified).fileTime
                answer.createTime = time
                answer.lastAccessTime = time
                answer.lastWriteTime = time
                answer.lastChangeTime = time
                if !attributes.isEmpty { answer.extFileAttributes = UInt32(attributes.rawValue) }
                answer.allocationSize = size
                answer.endOfFile = size
                answer.directory = entry.isDirectory ? 1 : 0
            }
            exchange.append(answer)
        }
    }

    static func attributes(_ entry: SharedEntry) -> SMB1.FileAttributes {
        entry.isDirectory ? [.directory] : [.readOnly]
    }

    // MARK: Queries of older dialects

    func query(
        _ block: SMB1.Block, _ reader: inout WireReader, _ exchange: SMBExchange, _ place: SMBPlace
    ) throws(WireError) -> SMBStep {
        guard place.share == .netlogon else { return .failed(.accessDenied) }
        switch block.command {
        case .queryInformation:
            let request = try SMB1.QueryInformationRequest(parsing: &reader, block)
            switch look(up: request.fileName) {
            case .failed(let status): return .failed(status)
            case .found(_, let entry):
                exchange.append(SMB1.QueryInformationResponse(
                    fileAttributes: Self.attributes(entry),
                    lastWriteTime: UInt32(truncatingIfNeeded: entry.modified),
                    fileSize: UInt32(truncatingIfNeeded: entry.size)))
                return .done
            }
        case .queryInformation2:
            let request = try SMB1.QueryInformation2Request(parsing: &reader, block)
            guard let open = find(request.fid, exchange), case .file(_, let entry) = open.kind
            else { return .failed(.smbBadFID) }
            exchange.append(SMB1.QueryInformation2Response(
                time: .init(unix: entry.modified),
                size: UInt32(truncatingIfNeeded: entry.size),
                attributes: Self.attributes(entry)))
            return .done
        case .checkDirectory:
            let request = try SMB1.CheckDirectory(parsing: &reader, block)
            switch look(up: request.directoryName) {
            case .failed: return .failed(.objectPathNotFound)
            case .found(_, let entry):
                if !entry.isDirectory { return .failed(.notADirectory) }
                exchange.appendEmpty()
                return .done
            }
        case .queryInformationDisk:
            exchange.append(SMB1.QueryInformationDiskResponse(
                totalUnits: 0xffff, blocksPerUnit: 1, blockSize: 512, freeUnits: 0))
            return .done
        case _:
            return search(try .init(parsing: &reader, block), exchange)
        }
    }
}
